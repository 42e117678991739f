"""The rules of products: pure decisions over values."""
