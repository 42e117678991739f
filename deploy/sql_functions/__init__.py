"""Compares the SQL function files (one file per function, with its present text) with a migrated database."""
