"""The read model in PostgreSQL: named SQL files, and the only asyncpg code of the query API."""
