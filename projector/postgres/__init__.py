"""The read model's schema, its functions, and the translation of asyncpg's errors."""
