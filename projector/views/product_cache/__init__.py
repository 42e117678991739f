"""One document for each product, in Redis."""
