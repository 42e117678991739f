"""Command API: commands and their outcomes, idempotency keys, the append to the log."""

from shared.ops.metrics.declare import FAST_SECONDS, Label, counter, gauge, histogram
from shared.ops.metrics.labels import EVENT_TYPES

COMMANDS = counter(
    "commands_total",
    "commands",
    "Commands that were executed, also those inside batches and imports.",
    Label(
        "command",
        "the kind of command",
        (
            "create", "upsert", "change-details", "put-variant", "remove-variant", "change-price",
            "publish", "archive", "restore", "delete",
        ),
    ),
    Label(
        "result",
        "appended: events were written. unchanged: nothing to change. repeated: the first answer to an "
        "idempotency key was given again. conflict: the product is at another version, or the slug or SKU is "
        "taken. refused: another rule. unavailable: the event store could not write, certainly nothing was "
        "written. unknown: it may have been written. failed: a bug",
        (
            "appended", "unchanged", "repeated", "conflict", "refused", "unavailable", "unknown", "failed",
        ),
    ),
)  # fmt: skip
IDEMPOTENCY = counter(
    "idempotency_total",
    "commands",
    "Commands with an idempotency key.",
    Label(
        "result",
        "new: the key was not known. repeated: its first answer was given again. mismatch: it was used for "
        "another request. waiting: the first request with this key was still running, so this one waited; it "
        "counts once more when it ends",
        ("new", "repeated", "mismatch", "waiting"),
    ),
)
APPENDS = counter(
    "event_append_total",
    "commands",
    "Commands by the outcome of their append call.",
    Label(
        "result",
        "appended; version_conflict; duplicate_key; reservation_taken (slug or SKU); failed: the call had no "
        "outcome for it",
        ("appended", "version_conflict", "duplicate_key", "reservation_taken", "failed"),
    ),
)
EVENTS_APPENDED = counter(
    "events_appended_total",
    "events",
    "Events written to the log by this process.",
    Label("type", "the event type", EVENT_TYPES),
)
APPEND_SECONDS = histogram(
    "event_append_duration_seconds",
    "seconds",
    "Duration of one append call, which writes all waiting commands.",
    buckets=FAST_SECONDS,
)
APPEND_COMMANDS = histogram(
    "event_append_batch_commands",
    "commands",
    "Commands in one append call.",
    buckets=(1, 2, 5, 10, 20, 50, 100, 256),
)
APPEND_WAITING = gauge(
    "event_append_waiting_commands", "commands", "Commands that wait for the next append call."
)
APPEND_WAITING_SECONDS = gauge(
    "event_append_waiting_oldest_seconds",
    "seconds",
    "How long the oldest waiting command has waited for its append call; 0 if none waits.",
)
