package stock;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import stock.Product.Money;
import stock.Product.Waits;

/** The table and the checkpoint, in one SQLite file: a commit is one transaction of both. For one thread. */
final class Store implements AutoCloseable {
    /** After the record `lastOffset`, which had the id `lastId`; -1 and null: nothing was read yet. */
    record Place(long next, long lastOffset, String lastId) {
        static Place at(long next) {
            return new Place(next, -1, null);
        }
    }

    // A SKU may move to another product, and between products there is no order: until the removal arrives, two
    // products have it. So the key is both, and the later one in the log is shown.
    private static final String[] SCHEMA = {
        "CREATE TABLE IF NOT EXISTS product (product_id TEXT PRIMARY KEY, stream_version INTEGER NOT NULL,"
                + " log_position INTEGER NOT NULL, name TEXT, deleted INTEGER NOT NULL, waits_version INTEGER,"
                + " waits_reason TEXT)",
        "CREATE TABLE IF NOT EXISTS item (product_id TEXT NOT NULL, sku TEXT NOT NULL, amount TEXT NOT NULL,"
                + " currency TEXT NOT NULL, PRIMARY KEY (product_id, sku))",
        "CREATE INDEX IF NOT EXISTS item_of_sku ON item (sku)",
        "CREATE TABLE IF NOT EXISTS place (topic TEXT NOT NULL, partition INTEGER NOT NULL, next_offset INTEGER"
                + " NOT NULL, last_offset INTEGER NOT NULL, last_id TEXT, PRIMARY KEY (topic, partition))",
        "CREATE TABLE IF NOT EXISTS followed_log (log_id TEXT PRIMARY KEY)",
    };
    private static final String ITEMS =
            "SELECT sku, product_id, name, amount, currency, stream_version, log_position FROM ("
                    + "SELECT *, row_number() OVER (PARTITION BY sku ORDER BY log_position DESC) AS place"
                    + " FROM item JOIN product USING (product_id)) WHERE place = 1";

    private final Connection connection;

    Store(String path) throws SQLException {
        connection = DriverManager.getConnection("jdbc:sqlite:" + path);
        run("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA busy_timeout = 5000");
        run(SCHEMA);
    }

    Product product(String productId) throws SQLException {
        try (PreparedStatement products = connection.prepareStatement("SELECT * FROM product WHERE product_id = ?");
                PreparedStatement items = connection.prepareStatement("SELECT * FROM item WHERE product_id = ?")) {
            products.setString(1, productId);
            items.setString(1, productId);
            ResultSet product = products.executeQuery();
            if (!product.next()) {
                return Product.UNKNOWN;
            }
            Map<String, Money> prices = new HashMap<>();
            for (ResultSet item = items.executeQuery(); item.next(); ) {
                prices.put(item.getString("sku"), new Money(item.getString("amount"), item.getString("currency")));
            }
            String reason = product.getString("waits_reason");
            return new Product(
                    product.getLong("stream_version"),
                    product.getLong("log_position"),
                    product.getString("name"),
                    prices,
                    product.getBoolean("deleted"),
                    reason == null ? null : new Waits(product.getLong("waits_version"), reason));
        }
    }

    Map<TopicPartition, Place> places() throws SQLException {
        Map<TopicPartition, Place> places = new HashMap<>();
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT * FROM place")) {
            while (row.next()) {
                places.put(
                        new TopicPartition(row.getString("topic"), row.getInt("partition")),
                        new Place(row.getLong("next_offset"), row.getLong("last_offset"), row.getString("last_id")));
            }
        }
        return places;
    }

    /** The log that all is from; null: not known yet. */
    String logId() throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT log_id FROM followed_log")) {
            return row.next() ? row.getString(1) : null;
        }
    }

    /** What was changed, and where we are after it: both or neither. */
    void commit(Map<String, Product> changed, Map<TopicPartition, Place> places, String logId) throws SQLException {
        connection.setAutoCommit(false);
        try {
            for (Map.Entry<String, Product> entry : changed.entrySet()) {
                write(entry.getKey(), entry.getValue());
            }
            for (Map.Entry<TopicPartition, Place> entry : places.entrySet()) {
                TopicPartition partition = entry.getKey();
                Place place = entry.getValue();
                execute("INSERT OR REPLACE INTO place VALUES (?, ?, ?, ?, ?)", partition.topic(),
                        partition.partition(), place.next(), place.lastOffset(), place.lastId());
            }
            if (logId != null) {
                execute("INSERT OR IGNORE INTO followed_log VALUES (?)", logId);
            }
            connection.commit();
        } catch (SQLException | RuntimeException error) {
            connection.rollback();
            throw error;
        } finally {
            connection.setAutoCommit(true);
        }
    }

    /** Forget everything: the log that it came from is gone. */
    void startOver() throws SQLException {
        run("BEGIN", "DELETE FROM item", "DELETE FROM product", "DELETE FROM place", "DELETE FROM followed_log",
                "COMMIT");
    }

    List<Map<String, Object>> items() throws SQLException {
        return rows(ITEMS, row -> {
            Map<String, Object> item = new LinkedHashMap<>();
            item.put("sku", row.getString("sku"));
            item.put("product_id", row.getString("product_id"));
            item.put("name", row.getString("name"));
            item.put("price", new Money(row.getString("amount"), row.getString("currency")));
            item.put("version", row.getLong("stream_version"));
            item.put("position", row.getLong("log_position"));
            return item;
        });
    }

    List<Map<String, Object>> waiting() throws SQLException {
        return rows("SELECT * FROM product WHERE waits_reason IS NOT NULL", row -> Map.of(
                "product_id", row.getString("product_id"),
                "version", row.getLong("stream_version"),
                "needs", row.getLong("waits_version"),
                "reason", row.getString("waits_reason")));
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }

    private void write(String productId, Product product) throws SQLException {
        Waits waits = product.waits();
        execute("INSERT OR REPLACE INTO product VALUES (?, ?, ?, ?, ?, ?, ?)", productId, product.version(),
                product.position(), product.name(), product.deleted(), waits == null ? null : waits.version(),
                waits == null ? null : waits.reason());
        execute("DELETE FROM item WHERE product_id = ?", productId);
        for (Map.Entry<String, Money> price : product.prices().entrySet()) {
            execute("INSERT INTO item VALUES (?, ?, ?, ?)", productId, price.getKey(), price.getValue().amount(),
                    price.getValue().currency());
        }
    }

    private void execute(String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int index = 0; index < values.length; index++) {
                statement.setObject(index + 1, values[index]);
            }
            statement.executeUpdate();
        }
    }

    private void run(String... statements) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    private interface Reading {
        Map<String, Object> of(ResultSet row) throws SQLException;
    }

    private List<Map<String, Object>> rows(String sql, Reading reading) throws SQLException {
        List<Map<String, Object>> rows = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            while (row.next()) {
                rows.add(reading.of(row));
            }
        }
        return rows;
    }
}
