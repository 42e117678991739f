"""The query API: everything that readers ask of the catalogue, over HTTP.

The path of one read: `products/http/hot_read.py` answers a product by id straight from Redis; what it cannot
answer goes to `products/http/routes.py`, which asks `products/find.py` (Redis, then table) or `lists.py`; the
adapters are in `products/postgres/` and `products/redis/`. `reports/` and `status/` are built
alike; `consistency/` lets a reader wait for its own write.
"""
