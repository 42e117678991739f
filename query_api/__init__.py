"""The query API: answers all reads of the catalogue over HTTP.

The path of one read: `products/http/hot_read.py` answers a product by id straight from Redis. All other
requests go to `products/http/routes.py`, which calls `products/find.py` (Redis, then table) or `lists.py`;
the adapters are in `products/postgres/` and `products/redis/`. `reports/` and `status/` have the same
structure; `consistency/` lets a reader wait for its own write.
"""
