package stock;

import com.sun.net.httpserver.HttpServer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Follow the catalogue. With --start-over: forget all, then follow.
 *
 * <p>Exit codes: 143 or 130 stopped by a signal; 1 failed, start it again; 2 wrong usage; 3 another log, or a record that
 * we cannot read: starting it again does not help, a person has to decide.
 */
final class Main {
    private Main() {}

    public static void main(String[] options) {
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "warn"); // Kafka's client tells a lot
        List<String> given = List.of(options);
        if (given.stream().anyMatch(option -> !option.equals("--start-over"))) {
            System.err.println("usage: stock.Main [--start-over]");
            System.exit(2);
        }
        System.exit(follow(given.contains("--start-over")));
    }

    private static int follow(boolean startOver) {
        String file = setting("STOCK_FILE", "stock.sqlite");
        int port = Integer.parseInt(setting("STOCK_PORT", "8101"));
        Map<String, AtomicLong> counts = new ConcurrentHashMap<>();
        HttpServer pages = null;
        try (Store store = new Store(file);
                Store read = new Store(file)) {
            if (startOver) {
                store.startOver();
            }
            pages = new Pages(read, counts).serve(port);
            System.out.println("the table is at http://127.0.0.1:" + port + "/stock");
            untilStopped(store, counts);
            return 0;
        } catch (NeedsAPerson error) {
            System.err.println("stopped: " + error.getMessage());
            return 3;
        } catch (Exception error) {
            error.printStackTrace();
            return 1;
        } finally {
            if (pages != null) {
                pages.stop(0);
            }
        }
    }

    private static void untilStopped(Store store, Map<String, AtomicLong> counts) throws Exception {
        AtomicReference<Follower> follower = new AtomicReference<>();
        AtomicBoolean stopping = new AtomicBoolean();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            stopping.set(true);
            Follower current = follower.get();
            if (current != null) {
                current.stop();
            }
        }));
        while (!stopping.get()) {
            Follower next = new Follower(
                    setting("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:19092"),
                    setting("KAFKA_TOPIC_PREFIX", ""),
                    store,
                    counts);
            follower.set(next);
            try {
                next.run();
            } catch (TopicsMadeAgain error) {
                System.out.println(
                        "the topics were made again (" + error.getMessage() + "): we read them from the beginning");
                next.readAgain();
            }
        }
    }

    private static String setting(String name, String otherwise) {
        return System.getenv().getOrDefault(name, otherwise);
    }
}
