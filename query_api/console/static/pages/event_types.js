/** The types of events, as the feed names them: an `EventSource` hears only those that it asks for by name. */

export const TYPES = [
  "product-created",
  "product-details-changed",
  "product-variant-added",
  "product-variant-changed",
  "product-variant-removed",
  "product-price-changed",
  "product-published",
  "product-archived",
  "product-restored",
  "product-deleted",
];
