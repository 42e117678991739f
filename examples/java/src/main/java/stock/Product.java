package stock;

import java.util.Map;

/**
 * A product as we know it, and what an event or a state makes of it. No input, no output, no clock.
 *
 * @param version of its stream; 0: we know nothing of it but that an event has come
 * @param prices by SKU
 * @param waits null, or why we could not apply an event: we need a state of that version
 */
record Product(
        long version, long position, String name, Map<String, Money> prices, boolean deleted, Waits waits) {

    record Money(String amount, String currency) {}

    record Waits(long version, String reason) {}

    static final Product UNKNOWN = new Product(0, 0, null, Map.of(), false, null);

    /** A deleted product keeps its version, so that nothing older brings it back. */
    static Product gone(CatalogueRecord record) {
        return new Product(record.version(), record.position(), null, Map.of(), true, null);
    }

    /** With the content of a product at that record; it waits for nothing. */
    static Product at(CatalogueRecord record, String name, Map<String, Money> prices) {
        return new Product(record.version(), record.position(), name, prices, false, null);
    }

    Product waitingFor(long neededVersion, String reason) {
        return new Product(version, position, name, prices, deleted, new Waits(neededVersion, reason));
    }
}
