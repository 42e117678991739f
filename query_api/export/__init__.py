"""The whole catalogue as one stream: from one snapshot of the read model, as NDJSON or as Shopify's CSV."""
