"""Reports: categories, brands, stock items and analytics; from the tables, never cached."""
