"""Reports (categories, brands, stock items, analytics), read from the tables and never cached."""
