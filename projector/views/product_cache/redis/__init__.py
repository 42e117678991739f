"""The documents in Redis."""
