"""Query API: the documents and pages that a process keeps in its own memory, in front of Redis and search."""

from typing import Literal, get_args

from shared.ops.metrics.declare import Label, counter, gauge

FlushReason = Literal["lost", "emptied", "generation"]

LOCAL_CACHE_REQUESTS = counter(
    "local_cache_requests_total",
    "reads",
    "Reads of product documents from the in-process cache, while it is in use; misses go on to Redis.",
    Label("result", "hit; miss", ("hit", "miss")),
)
LOCAL_CACHE_REFRESHES = counter(
    "local_cache_refreshes_total",
    "documents",
    "Documents that were often read and were read from Redis again before their time ended.",
)
LOCAL_CACHE_ENTRIES = gauge("local_cache_entries", "documents", "Documents in the in-process cache.")
LOCAL_CACHE_BYTES = gauge("local_cache_bytes", "bytes", "Size of the in-process cache.")
LOCAL_CACHE_TRUSTED = gauge(
    "local_cache_trusted",
    "0 or 1",
    "1 while Redis tells the process of each change, so that the in-process cache is used.",
)
LOCAL_CACHE_FLUSHES = counter(
    "local_cache_flushes_total",
    "flushes",
    "How often the in-process cache was emptied.",
    Label(
        "reason",
        "lost: the connection that tells of changes; emptied: Redis was flushed; generation: another "
        "generation of documents is live",
        get_args(FlushReason),
    ),
)
LOCAL_LIST_CACHE_REQUESTS = counter(
    "local_list_cache_requests_total",
    "requests",
    "Lists and searches that the memory of the process was asked for first.",
    Label(
        "result",
        "hit; miss; changed: its lists, or the search index, have changed since the page was made",
        ("hit", "miss", "changed"),
    ),
)
LOCAL_LIST_CACHE_BYTES = gauge(
    "local_list_cache_bytes", "bytes", "Size of the pages of lists and searches in the memory of the process."
)
