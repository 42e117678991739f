package stock;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;

/**
 * A Kafka record of the catalogue, with its headers as plain values. docs/asyncapi.yaml has all of them.
 *
 * @param logId null for old states
 * @param schemaVersion 0 for states
 * @param value null: the product is deleted (only in products-state)
 */
record CatalogueRecord(
        String place,
        long offset,
        String id,
        String logId,
        String productId,
        String type,
        long version,
        long position,
        int schemaVersion,
        byte[] value) {

    private static final ObjectMapper JSON = new ObjectMapper();

    /** Throws NeedsAPerson if it is not one of the catalogue's. */
    static CatalogueRecord of(ConsumerRecord<String, byte[]> record) {
        String place = record.topic() + "/" + record.partition() + "@" + record.offset();
        String type = text(record, "ce_type");
        boolean isState = "product-state".equals(type);
        return new CatalogueRecord(
                place,
                record.offset(),
                text(record, "ce_id"),
                text(record, "ce_logid"),
                record.key(),
                type,
                number(record, place, "ce_streamversion"),
                number(record, place, "ce_position"),
                isState ? 0 : (int) number(record, place, "ce_schemaversion"),
                record.value());
    }

    /** The value. Throws NeedsAPerson if it is no JSON. */
    JsonNode json() {
        try {
            return JSON.readTree(new String(value, StandardCharsets.UTF_8));
        } catch (JsonProcessingException error) {
            throw new NeedsAPerson(place + ": its value is not JSON", error);
        }
    }

    private static String text(ConsumerRecord<String, byte[]> record, String name) {
        Header header = record.headers().lastHeader(name);
        return header == null ? null : new String(header.value(), StandardCharsets.UTF_8);
    }

    private static long number(ConsumerRecord<String, byte[]> record, String place, String name) {
        try {
            return Long.parseLong(text(record, name));
        } catch (NumberFormatException error) {
            throw new NeedsAPerson(place + ": no number in the header " + name, error);
        }
    }
}
