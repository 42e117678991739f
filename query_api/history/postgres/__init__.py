"""The past of a product in PostgreSQL: the event log, read-only."""
