"""Products in the read model's tables."""
