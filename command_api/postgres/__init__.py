"""The event log in PostgreSQL, for commands."""
