"""The log's partitions, kept ahead of need by the command API and the relay."""

from shared.ops.metrics.declare import gauge

PARTITIONS_AHEAD = gauge(
    "event_partitions_ahead",
    "partitions",
    "Empty partitions after the newest position of the log. Without one, no event can be written.",
    is_unknown=True,
)
