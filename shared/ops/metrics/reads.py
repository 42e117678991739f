"""Query API: the cache, the table behind it, and readers that wait for their own write."""

from shared.ops.metrics.declare import FAST_SECONDS, Label, counter, gauge, histogram

_READS = Label("reads", "the reads that share a limit", ("products", "lists", "reports", "history", "latest"))

CACHE_REQUESTS = counter(
    "cache_requests_total",
    "reads",
    "Reads of product documents from the cache.",
    Label("result", "hit; miss; bypass: Redis did not answer", ("hit", "miss", "bypass")),
)
CACHE_FILLS = counter(
    "cache_fills_total",
    "documents",
    "Documents that readers wrote to the cache after a miss.",
    Label(
        "result",
        "stored; older: the cache had a newer one, or is being switched; failed: Redis did not answer",
        ("stored", "older", "failed"),
    ),
)
CACHE_BREAKER_OPEN = gauge(
    "cache_breaker_open", "0 or 1", "1 while Redis is not asked, because it failed several times in a row."
)
TABLE_READS = counter(
    "table_reads_total", "reads", "Reads that PostgreSQL was asked for, in their turn.", _READS
)
TABLE_READS_WAITING = gauge(
    "table_reads_waiting", "reads", "Reads that wait for a place in front of PostgreSQL.", _READS
)
TABLE_READS_REFUSED = counter(
    "table_reads_refused_total",
    "reads",
    "Reads that were answered 503, because too many waited or the wait was too long.",
    _READS,
)
READ_MODEL_AGE_SECONDS = gauge(
    "read_model_age_seconds",
    "seconds",
    "Age of the newest report of a projector that this process can read. Projectors report once a second, so "
    "more is the lag of a replica, or no projector runs.",
)
WAITING_READERS = gauge(
    "consistency_waiting_readers", "readers", "Readers that are waiting until their own write is visible."
)
CONSISTENCY_WAIT_SECONDS = histogram(
    "consistency_wait_seconds",
    "seconds",
    "How long a reader with a Consistency-Token waited.",
    Label("result", "visible; behind: 503 `read-model-behind`", ("visible", "behind")),
    buckets=FAST_SECONDS,
)
LATEST_READS = counter(
    "latest_reads_total",
    "reads",
    "Reads with a Consistency-Token that asked the event log, because the cache did not have the write yet.",
    Label(
        "result",
        "found; absent: a replica is behind, or the cache is of another log; failed: no answer in time",
        ("found", "absent", "failed"),
    ),
)
EXPORTS = counter(
    "exports_total",
    "exports",
    "Exports of the catalogue that began to be sent.",
    Label("format", "ndjson; csv", ("ndjson", "csv")),
    Label(
        "outcome",
        "complete; left: the client ended it; cut: the client was too slow, or PostgreSQL was lost",
        ("complete", "left", "cut"),
    ),
)
