"""The documents and pages that a query API keeps in its own memory."""

from deploy.grafana.board import WINDOW, Panel, Query, Row, rate_by

IN_PROCESS_CACHE = Row(
    "In-process cache",
    [
        Panel(
            "Reads a second by result",
            "ops",
            "`miss`: Redis is asked. Neither: it is off, and Redis is asked for all.",
            "CacheDown",
            [rate_by("result", "local_cache_requests_total")],
        ),
        Panel(
            "Lists and searches a second by result",
            "ops",
            "`changed`: the page was right until its lists, or the search index, changed.",
            "CacheDown",
            [rate_by("result", "local_list_cache_requests_total")],
        ),
        Panel(
            "In use",
            "bool",
            "0: Redis does not tell of changes; the log says why.",
            "CacheDown",
            [Query("min by (instance) (local_cache_trusted)", "{{instance}}")],
        ),
        Panel(
            "Emptied, in 10 minutes",
            "short",
            "`lost`: the connection that tells of changes broke.",
            "CacheDown",
            [Query("sum by (reason) (increase(local_cache_flushes_total[10m]))", "{{reason}}")],
        ),
        Panel(
            "Size",
            "bytes",
            "Up to LOCAL_CACHE_BYTES_MAX and LOCAL_LIST_CACHE_BYTES_MAX in each process.",
            "CacheDown",
            [
                Query("max by (instance) (local_cache_bytes)", "{{instance}}"),
                Query("max by (instance) (local_list_cache_bytes)", "{{instance}}, pages"),
            ],
        ),
        Panel(
            "Documents, and those refreshed a second",
            "short",
            "Refreshed: read again from Redis before their time ended, because they are read often.",
            "CacheDown",
            [
                Query("max by (instance) (local_cache_entries)", "{{instance}}"),
                Query(f"sum(rate(local_cache_refreshes_total[{WINDOW}]))", "refreshed"),
            ],
        ),
    ],
)
