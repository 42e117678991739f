"""What may happen to a product: pure decisions over values."""
