package stock;

import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import stock.Store.Place;

/**
 * Follows products-state and products-events together. Where we are is in the store, not in Kafka: offsets of a
 * consumer group could not change in the same transaction as the table. So there is no group: one process has all
 * partitions.
 */
final class Follower {
    private static final Duration POLL_MAX = Duration.ofMillis(500);

    private final String bootstrapServers;
    private final String events;
    private final String states;
    private final Store store;
    private final Map<String, AtomicLong> counts;
    private final Map<TopicPartition, Place> unverified = new HashMap<>();
    private volatile KafkaConsumer<String, byte[]> consumer;
    private volatile boolean stopped;

    Follower(String bootstrapServers, String prefix, Store store, Map<String, AtomicLong> counts) {
        this.bootstrapServers = bootstrapServers;
        this.events = prefix + "products-events";
        this.states = prefix + "products-state";
        this.store = store;
        this.counts = counts;
    }

    /** Until `stop`. Throws TopicsMadeAgain, NeedsAPerson, and what Kafka and SQLite throw. */
    void run() throws SQLException {
        try (KafkaConsumer<String, byte[]> opened = new KafkaConsumer<>(properties())) {
            consumer = opened;
            List<TopicPartition> partitions = partitions();
            Map<TopicPartition, Place> places = placed(partitions);
            consumer.assign(partitions);
            unverified.clear();
            for (TopicPartition partition : partitions) {
                seek(partition, places.get(partition));
            }
            while (!stopped) {
                ConsumerRecords<String, byte[]> polled = consumer.poll(POLL_MAX);
                for (TopicPartition partition : polled.partitions()) {
                    apply(partition, polled.records(partition));
                }
            }
        } catch (OffsetOutOfRangeException error) {
            throw new TopicsMadeAgain(error.getMessage());
        } catch (WakeupException error) {
            if (!stopped) {
                throw error;
            }
        }
    }

    /** From any thread. */
    void stop() {
        stopped = true;
        KafkaConsumer<String, byte[]> running = consumer;
        if (running != null) {
            running.wakeup();
        }
    }

    /** Read both topics from the beginning the next time; what we know is dropped by its version. */
    void readAgain() throws SQLException {
        try (KafkaConsumer<String, byte[]> asking = new KafkaConsumer<>(properties())) {
            consumer = asking;
            store.commit(Map.of(), at(asking.beginningOffsets(partitions())), store.logId());
        }
    }

    /**
     * Where to read. The first time: the events from now on, and all states. Events between a state and "now" are
     * missing then, and the catalogue publishes a newer state for each of them: that is why we go on reading both.
     */
    private Map<TopicPartition, Place> placed(List<TopicPartition> partitions) throws SQLException {
        Map<TopicPartition, Long> lows = consumer.beginningOffsets(partitions);
        Map<TopicPartition, Long> highs = consumer.endOffsets(partitions);
        Map<TopicPartition, Place> known = store.places();
        if (known.isEmpty()) {
            Map<TopicPartition, Place> first = at(lows);
            highs.forEach((partition, high) -> {
                if (partition.topic().equals(events)) {
                    first.put(partition, Place.at(high));
                }
            });
            store.commit(Map.of(), first, null);
            return first;
        }
        for (TopicPartition partition : partitions) {
            Place place = known.computeIfAbsent(partition, added -> Place.at(lows.get(added)));
            if (place.next() < lows.get(partition) || place.next() > highs.get(partition)) {
                throw new TopicsMadeAgain(partition + " has " + lows.get(partition) + " to " + highs.get(partition)
                        + ", and we were at " + place.next());
            }
        }
        return known;
    }

    /**
     * In products-events to the last record that we have: it tells whether this is still the same topic. products-state
     * is compacted, so that record may be gone there.
     */
    private void seek(TopicPartition partition, Place place) {
        boolean verify = partition.topic().equals(events) && place.lastId() != null;
        if (verify) {
            unverified.put(partition, place);
        }
        consumer.seek(partition, verify ? place.lastOffset() : place.next());
    }

    /** One commit: the products of these records, and the place after them. */
    private void apply(TopicPartition partition, List<ConsumerRecord<String, byte[]>> records) throws SQLException {
        boolean areEvents = partition.topic().equals(events);
        String logId = store.logId();
        Map<String, Product> changed = new HashMap<>();
        CatalogueRecord last = null;
        for (ConsumerRecord<String, byte[]> each : records) {
            CatalogueRecord record = CatalogueRecord.of(each);
            if (record.logId() != null && logId != null && !logId.equals(record.logId())) {
                throw new NeedsAPerson("our table is of the log " + logId + ", and the topics are now of "
                        + record.logId() + ": start with --start-over to empty the table and fill it again");
            }
            logId = logId == null ? record.logId() : logId;
            last = record;
            Place expected = areEvents ? unverified.remove(partition) : null;
            if (expected != null) {
                verify(record, expected);
                continue;
            }
            Product known = changed.get(record.productId());
            known = known != null ? known : store.product(record.productId());
            Changes.Change change = areEvents ? Changes.byEvent(known, record) : Changes.byState(known, record);
            if (change.product() != known) {
                changed.put(record.productId(), change.product());
            }
            tell(record, change);
        }
        if (last != null) {
            Place place = new Place(last.offset() + 1, last.offset(), last.id());
            store.commit(changed, Map.of(partition, place), logId);
        }
    }

    private static void verify(CatalogueRecord record, Place expected) {
        if (record.offset() != expected.lastOffset() || !expected.lastId().equals(record.id())) {
            throw new TopicsMadeAgain(record.place() + " is " + record.id() + ", and was " + expected.lastId());
        }
    }

    private void tell(CatalogueRecord record, Changes.Change change) {
        counts.computeIfAbsent(change.outcome().text, added -> new AtomicLong()).incrementAndGet();
        switch (change.outcome()) {
            case UNKNOWN_TYPE -> System.out.println(record.place() + ": skipped the unknown type " + record.type());
            case WAITS -> System.out.println(
                    record.productId() + " waits for its state: " + change.product().waits().reason());
            default -> {}
        }
    }

    private List<TopicPartition> partitions() {
        List<TopicPartition> partitions = new ArrayList<>();
        for (String topic : List.of(events, states)) {
            for (PartitionInfo one : consumer.partitionsFor(topic)) {
                partitions.add(new TopicPartition(topic, one.partition()));
            }
        }
        return partitions;
    }

    private static Map<TopicPartition, Place> at(Map<TopicPartition, Long> offsets) {
        Map<TopicPartition, Place> places = new HashMap<>();
        offsets.forEach((partition, offset) -> places.put(partition, Place.at(offset)));
        return places;
    }

    private Properties properties() {
        Properties properties = new Properties();
        properties.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
        properties.put(ConsumerConfig.CLIENT_ID_CONFIG, "stock-example");
        properties.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, StringDeserializer.class);
        properties.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
        properties.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none"); // we decide where to read, never Kafka
        properties.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        properties.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        return properties;
    }
}
