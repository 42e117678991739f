"""Reports from the tables of the counting views."""
