"""Pools of connections to PostgreSQL, in every process. Read at the scrape, without a query."""

from shared.ops.metrics.declare import FAST_SECONDS, Label, counter, gauge, histogram

_POOL = Label(
    "pool",
    "the pool's application_name in PostgreSQL",
    (
        "command-api read", "catalogue-relay-upkeep", "projector", "projector log", "query-api-products",
        "query-api-lists", "query-api-reports", "query-api-history",
    ),
)  # fmt: skip

POOL_SIZE_MAX = gauge("db_pool_size_max", "connections", "Connections that the pool may have.", _POOL)
POOL_SIZE = gauge("db_pool_size", "connections", "Connections that the pool has.", _POOL)
POOL_IN_USE = gauge(
    "db_pool_in_use", "connections", "Connections that a statement or transaction uses.", _POOL
)
POOL_WAITING = gauge("db_pool_waiting", "callers", "Callers that wait for a connection.", _POOL)
POOL_WAIT_SECONDS = histogram(
    "db_pool_wait_seconds",
    "seconds",
    "Time until a caller got a connection; includes connecting, if a new one was needed.",
    _POOL,
    buckets=FAST_SECONDS,
    zeros=False,
)
POOL_ACQUIRE_FAILURES = counter(
    "db_pool_acquire_failures_total", "callers", "Callers that got no connection.", _POOL, zeros=False
)
