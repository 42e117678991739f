"""How many products a category and a brand have."""
