"""The log's partitions, kept ahead of need and counted by the command API and the relay."""

from shared.ops.metrics.declare import gauge

PARTITIONS_AHEAD = gauge(
    "event_partitions_ahead",
    "partitions",
    "Empty partitions after the newest position of the log. Without one, no event can be written when the "
    "present one is full. NaN: unknown.",
    is_unknown=True,
)
POSITIONS_LEFT = gauge(
    "event_positions_left",
    "log positions",
    "Positions until the end of the last partition: so many events can still be written. NaN: unknown.",
    is_unknown=True,
)
