"""Projector: the compacted topic products-state."""

from shared.ops.metrics.declare import Label, counter, gauge

STATES_PUBLISHED = counter(
    "states_published_total",
    "records",
    "Product states confirmed by the compacted topic.",
    Label("kind", "document, or tombstone of a deleted product", ("document", "tombstone")),
)
STATES_FENCED = counter(
    "states_fenced_total", "channels", "How often another publisher took a partition over."
)
STATES_WAITING = gauge("states_waiting", "states", "States that are not in the compacted topic yet.")
STATES_WAITING_SECONDS = gauge(
    "states_waiting_oldest_seconds", "seconds", "Age of the oldest of them; 0 if there is none."
)
