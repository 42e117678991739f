"""Stock items by SKU, for the inventory report."""
