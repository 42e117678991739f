"""Projector: rebuilds, read from PostgreSQL, because a rebuild runs in a process of its own."""

from shared.ops.metrics.declare import gauge
from shared.ops.metrics.labels import PROJECTION

REBUILD_RUNNING = gauge(
    "rebuild_running",
    "0 or 1",
    "1 from the start of a rebuild to its switch or its cancellation.",
    PROJECTION,
)
REBUILD_POSITION = gauge(
    "rebuild_position",
    "log position",
    "How far the rebuild has read the log; 0 without a rebuild.",
    PROJECTION,
)
REBUILD_TARGET_POSITION = gauge(
    "rebuild_target_position",
    "log position",
    "How far its first pass reads; 0 without a rebuild.",
    PROJECTION,
)
REBUILD_EVENTS = gauge(
    "rebuild_events", "events", "Events that the rebuild has applied; 0 without a rebuild.", PROJECTION
)
REBUILD_CHANGED_SECONDS = gauge(
    "rebuild_changed_seconds",
    "seconds",
    "Time since the rebuild last stored its progress; 0 without a rebuild. Minutes: its process may be dead.",
    PROJECTION,
)
