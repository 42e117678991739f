"""The shadow generation of the cache in Redis."""
