"""Projector: notifications."""

from shared.ops.metrics.declare import Label, counter, gauge

MAILS = counter(
    "notifications_total",
    "mails",
    "Mails by the outcome of an attempt to claim or send them.",
    Label(
        "kind",
        "what the mail is about",
        ("product-created", "price-dropped", "product-archived", "digest"),
    ),
    Label(
        "outcome",
        "sent; unreachable: the mail server cannot be reached; not-sent: tried again; refused: for good; "
        "unknown: perhaps sent, waits for an operator; busy: another process sends it. already ...: found as "
        "an earlier attempt left it",
        (
            "sent", "unreachable", "not-sent", "refused", "unknown", "busy", "already sent",
            "already gathered", "already refused", "already unknown", "already discarded",
        ),
    ),
)  # fmt: skip
WAITING = gauge("notifications_waiting", "events", "Events that wait for a digest, once for each recipient.")
WAITING_SECONDS = gauge(
    "notifications_waiting_oldest_seconds", "seconds", "Age of the oldest of them; 0 if there is none."
)
