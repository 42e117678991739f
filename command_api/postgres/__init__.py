"""The event log in PostgreSQL; the only asyncpg code of this process."""
