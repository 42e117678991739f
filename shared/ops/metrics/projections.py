"""Projector: from Kafka to the views. While it is dead, look at the relay's consumer groups."""

from shared.ops.metrics.declare import SLOW_SECONDS, Label, counter, gauge, histogram
from shared.ops.metrics.labels import EVENT_TYPE, PROJECTION

VIEW_RESULTS = ("applied", "duplicate", "skipped", "gap_filled", "parked")
NOTIFICATION_RESULTS = ("notified", "gathered", "nothing-new", "put-off", "parked", "replay", "skipped")
ERROR_CLASSES = (
    "transient", "unreadable-record", "undecodable", "unknown-schema-version", "history-does-not-fold",
    "refused-by-store", "unknown", "other-log", "ordered", "mail-refused", "mail-not-sent",
    "mail-outcome-unknown", "follower",
)  # fmt: skip
_PARTITION = Label("partition", "the partition's number")

EVENTS = counter(
    "projector_events_total",
    "events",
    "Events by result.",
    PROJECTION,
    EVENT_TYPE,
    Label(
        "result",
        "applied; duplicate: applied before; skipped: a type that the projection does not use; gap_filled: "
        "read from the log; parked: became a dead letter. Of notifications: notified: mails were sent; "
        "gathered: waits for a digest; "
        "nothing-new: all mails were sent before; put-off: tried again later; replay: sends no mail",
        tuple(dict.fromkeys(VIEW_RESULTS + NOTIFICATION_RESULTS)),
    ),
)
CACHE_STARTED_ANEW = counter(
    "cache_started_anew_total",
    "times",
    "How often the cache was found without what was written to it, and began again without documents.",
    Label(
        "reason",
        "older: Redis came back with older data; without-checkpoint: it lost the checkpoints, or a release "
        "before 0.3.0 wrote it; other-log: its documents are of another log; empty: nothing was there",
        ("older", "without-checkpoint", "other-log", "empty"),
    ),
)
LAG_EVENTS = gauge(
    "projection_lag_events", "records", "Records of the partition not yet projected.", PROJECTION, _PARTITION
)
LAG_SECONDS = gauge(
    "projection_lag_seconds",
    "seconds",
    "Age of the oldest event that waits for this projection; 0 if none waits.",
    PROJECTION,
    _PARTITION,
)
POSITION = gauge(
    "projection_position", "log position", "Log position of the last event projected.", PROJECTION, _PARTITION
)
FRESHNESS_SECONDS = histogram(
    "projection_freshness_seconds",
    "seconds",
    "Time from the commit of an event to the commit of its effect. Replays and duplicates do not count.",
    PROJECTION,
    buckets=SLOW_SECONDS,
)
BATCH_SECONDS = histogram(
    "projection_batch_seconds",
    "seconds",
    "Time from the receipt of a batch to its commit, with retries.",
    PROJECTION,
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0),
)
ERRORS = counter(
    "projection_errors_total",
    "attempts or records",
    "Failed attempts (transient, unknown) and parked records (the other classes).",
    PROJECTION,
    Label(
        "error_class",
        "who decided, see CONTRIBUTING",
        ERROR_CLASSES,
    ),
)  # fmt: skip
STOPPED = gauge("projection_stopped", "0 or 1", "1 while the projection is stopped.", PROJECTION)
PAUSED = gauge("projection_paused", "0 or 1", "1 while an operator keeps the projection paused.", PROJECTION)
PARTITIONS_STOPPED = gauge(
    "projection_partitions_stopped",
    "partitions",
    "Partitions that are stopped at a hole in the log.",
    PROJECTION,
)
BREAKER_OPEN = gauge(
    "projection_breaker_open", "0 or 1", "1 while too many products fail and no more are parked.", PROJECTION
)
FOLLOWS_SHARED_READER = gauge(
    "projection_follows_shared_reader",
    "0 or 1",
    "1 while the records come from the process's shared reader; 0 while the projection reads them by itself.",
    PROJECTION,
)
WAITS_FOR_REDIS = gauge(
    "projection_waits_for_redis",
    "0 or 1",
    "1 while the last attempt to apply a batch failed because Redis does not answer.",
    PROJECTION,
)
