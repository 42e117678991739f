"""The cache: documents, pointers and pages in Redis, and the only redis-py code of the query API."""
