"""Products: one by id, SKU or slug, and lists of them."""
