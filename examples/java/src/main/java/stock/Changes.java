package stock;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import stock.Product.Money;

/** What a record makes of a product. */
final class Changes {
    enum Outcome {
        APPLIED("applied"),
        KNOWN("known"),
        WAITS("waits"),
        UNKNOWN_TYPE("unknown type");

        final String text;

        Outcome(String text) {
            this.text = text;
        }
    }

    record Change(Product product, Outcome outcome) {}

    /** The types that we use, and the schema versions that we can read. */
    private static final Map<String, Set<Integer>> USED = Map.of(
            "product-created", Set.of(1, 2),
            "product-details-changed", Set.of(1, 2),
            "product-variant-added", Set.of(1),
            "product-variant-changed", Set.of(1),
            "product-variant-removed", Set.of(1),
            "product-price-changed", Set.of(1));

    /** Known, but they change nothing here: their versions are stored, their values are not read. */
    private static final Set<String> NOT_USED =
            Set.of("product-published", "product-archived", "product-restored");

    private Changes() {}

    /** By one event of products-events. */
    static Change byEvent(Product known, CatalogueRecord event) {
        if (event.version() <= known.version()) {
            return new Change(known, Outcome.KNOWN);
        }
        if (event.type().equals("product-deleted")) { // it needs nothing before it
            return new Change(Product.gone(event), Outcome.APPLIED);
        }
        if (known.waits() != null) {
            return waits(known, event, known.waits().reason());
        }
        if (event.version() > known.version() + 1) {
            return waits(known, event, "version " + (known.version() + 1) + " is missing");
        }
        Set<Integer> schemas = USED.get(event.type());
        if (schemas == null) {
            Outcome outcome = NOT_USED.contains(event.type()) ? Outcome.APPLIED : Outcome.UNKNOWN_TYPE;
            return new Change(Product.at(event, known.name(), known.prices()), outcome);
        }
        if (!schemas.contains(event.schemaVersion())) {
            String reason = "unknown schema version " + event.schemaVersion() + " of " + event.type();
            return waits(known, event, reason);
        }
        return new Change(applied(known, event), Outcome.APPLIED);
    }

    /**
     * By one record of products-state; no value means that the product is deleted. The same version is taken again: a
     * rebuild of the catalogue's projection may have corrected it.
     */
    static Change byState(Product known, CatalogueRecord state) {
        if (state.version() < known.version()) {
            return new Change(known, Outcome.KNOWN);
        }
        if (state.value() == null) {
            return new Change(Product.gone(state), Outcome.APPLIED);
        }
        JsonNode document = state.json();
        Product product =
                Product.at(state, document.required("name").textValue(), pricesOf(document.required("variants")));
        if (known.waits() != null && known.waits().version() > state.version()) {
            product = product.waitingFor(known.waits().version(), known.waits().reason());
        }
        return new Change(product, Outcome.APPLIED);
    }

    private static Change waits(Product known, CatalogueRecord event, String reason) {
        return new Change(known.waitingFor(event.version(), reason), Outcome.WAITS);
    }

    private static Product applied(Product known, CatalogueRecord event) {
        JsonNode data = event.json();
        Map<String, Money> prices = new HashMap<>(known.prices());
        String name = known.name();
        switch (event.type()) {
            case "product-created" -> {
                name = data.required("name").textValue();
                prices = pricesOf(data.required("variants"));
            }
            case "product-details-changed" -> name = data.path("name").asText(name); // only changed fields are there
            case "product-variant-removed" -> prices.remove(data.required("sku").textValue());
            default -> prices.put(data.required("sku").textValue(), price(data)); // variants and prices
        }
        return Product.at(event, name, prices);
    }

    private static Map<String, Money> pricesOf(JsonNode variants) {
        Map<String, Money> prices = new HashMap<>();
        variants.forEach(variant -> prices.put(variant.required("sku").textValue(), price(variant)));
        return prices;
    }

    private static Money price(JsonNode variant) {
        JsonNode price = variant.required("price");
        return new Money(price.required("amount").textValue(), price.required("currency").textValue());
    }
}
