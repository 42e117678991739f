"""The read models in PostgreSQL; the only asyncpg code of the projector."""
