// What an event or a state makes of a product. Pure: no input, no output, no clock.
//
// A product as we know it: {version, position, name, prices: {sku: {amount, currency}}, deleted, waits}.
// `waits`, if it is there: {version, reason}. We could not apply an event, and need a state of that version.

const NOBODY = { version: 0, position: 0, name: null, prices: {}, deleted: false };

// The types that we use: the schema versions that we can read, and what each does.
const USED = {
  "product-created": {
    schemas: [1, 2],
    apply: (_product, data) => ({ name: data.name, prices: pricesOf(data.variants) }),
  },
  "product-details-changed": {
    schemas: [1, 2],
    apply: (product, data) => ({ name: data.name ?? product.name }), // only changed fields are there
  },
  "product-variant-added": { schemas: [1], apply: withPrice },
  "product-variant-changed": { schemas: [1], apply: withPrice },
  "product-price-changed": { schemas: [1], apply: withPrice },
  "product-variant-removed": {
    schemas: [1],
    apply: ({ prices }, data) => {
      const { [data.sku]: _removed, ...others } = prices;
      return { prices: others };
    },
  },
};
// Known, but they change nothing here: their versions are stored, their values are not read.
const NOT_USED = new Set(["product-published", "product-archived", "product-restored"]);

// One event of products-events: {type, schemaVersion, version, position, value}.
// Answers {product, outcome}: "applied", "known", "waits" or "unknown type".
export function applyEvent(known, event) {
  const product = known ?? NOBODY;
  if (event.version <= product.version) return { product: known, outcome: "known" };
  const reached = { version: event.version, position: event.position };
  if (event.type === "product-deleted") return { product: { ...gone(reached) }, outcome: "applied" };
  if (product.waits) return waits(product, event, product.waits.reason);
  if (event.version > product.version + 1) {
    return waits(product, event, `version ${product.version + 1} is missing`);
  }
  const used = USED[event.type];
  if (!used) {
    const outcome = NOT_USED.has(event.type) ? "applied" : "unknown type";
    return { product: { ...product, ...reached }, outcome };
  }
  if (!used.schemas.includes(event.schemaVersion)) {
    return waits(product, event, `unknown schema version ${event.schemaVersion} of ${event.type}`);
  }
  const change = used.apply(product, JSON.parse(event.value));
  return { product: { ...product, ...reached, ...change }, outcome: "applied" };
}

// One record of products-state: {version, position, value}; no value means that the product is deleted.
// The same version is taken again: a rebuild of the catalogue's projection may have corrected it.
export function applyState(known, state) {
  if (known && state.version < known.version) return { product: known, outcome: "known" };
  const reached = { version: state.version, position: state.position };
  if (state.value === null) return { product: gone(reached), outcome: "applied" };
  const document = JSON.parse(state.value);
  const product = { ...reached, name: document.name, prices: pricesOf(document.variants), deleted: false };
  const stillWaits = known?.waits && known.waits.version > state.version;
  return { product: stillWaits ? { ...product, waits: known.waits } : product, outcome: "applied" };
}

// A deleted product keeps its version, so that nothing older brings it back.
const gone = (reached) => ({ ...NOBODY, ...reached, deleted: true });

function waits(product, event, reason) {
  return { product: { ...product, waits: { version: event.version, reason } }, outcome: "waits" };
}

function withPrice({ prices }, data) {
  return { prices: { ...prices, [data.sku]: data.price } };
}

function pricesOf(variants) {
  return Object.fromEntries(variants.map(({ sku, price }) => [sku, price]));
}
