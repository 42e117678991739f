"""Reads of products: one by id, SKU or slug, and lists."""
