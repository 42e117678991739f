"""One document a product in Redis."""
