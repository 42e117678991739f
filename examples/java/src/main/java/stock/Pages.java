package stock;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/** GET /stock, /stock/<SKU> and /status, as JSON. It has a connection of its own, and only reads. */
final class Pages {
    private static final ObjectMapper JSON = new ObjectMapper();
    private final Store store;
    private final Map<String, AtomicLong> counts;

    Pages(Store store, Map<String, AtomicLong> counts) {
        this.store = store;
        this.counts = counts;
    }

    /** Answers in one thread, because the connection is for one. */
    HttpServer serve(int port) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        server.createContext("/", this::answer);
        server.start();
        return server;
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            Optional<Object> found = page(exchange.getRequestURI().getRawPath());
            byte[] body = JSON.writeValueAsBytes(found.orElse(Map.of("error", "not found")));
            exchange.getResponseHeaders().set("content-type", "application/json");
            exchange.sendResponseHeaders(found.isPresent() ? 200 : 404, body.length);
            exchange.getResponseBody().write(body);
        } catch (SQLException error) {
            throw new IOException(error);
        }
    }

    private Optional<Object> page(String path) throws SQLException {
        if (path.equals("/stock")) {
            return Optional.of(store.items());
        }
        if (path.equals("/status")) {
            return Optional.of(Map.of(
                    "log_id", String.valueOf(store.logId()),
                    "places", String.valueOf(store.places()),
                    "waiting", store.waiting(),
                    "counts", counts));
        }
        if (!path.startsWith("/stock/")) {
            return Optional.empty();
        }
        // URLDecoder is for forms: there a plus is a space
        String segment = path.substring("/stock/".length()).replace("+", "%2B");
        String sku = URLDecoder.decode(segment, StandardCharsets.UTF_8);
        List<Map<String, Object>> items = store.items();
        return items.stream().filter(item -> sku.equals(item.get("sku"))).map(Object.class::cast).findFirst();
    }
}
