"""The query API: everything that readers ask of the catalogue, over HTTP.

The path of one read: `http/hot_read.py` answers a product by id straight from Redis; what it cannot answer
goes to `http/routes.py`, which asks `find.py` (Redis, then table) or `lists.py`; `postgres/` and `redis/` are
the adapters behind `ports.py`; `visibility.py` lets a reader wait for its own write.
"""
