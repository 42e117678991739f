"""Projector: deliveries to webhook endpoints."""

from shared.ops.metrics.declare import SLOW_SECONDS, Label, counter, gauge, histogram

ATTEMPTS = counter(
    "webhook_attempts_total",
    "attempts",
    "Attempts to deliver a message to an endpoint.",
    Label(
        "outcome",
        "delivered; retried: it is tried again; failed: given up after the last try",
        ("delivered", "retried", "failed"),
    ),
)
ATTEMPT_SECONDS = histogram(
    "webhook_attempt_seconds",
    "seconds",
    "How long attempts took, with answer or without.",
    buckets=SLOW_SECONDS,
)
ENDPOINTS = gauge("webhook_endpoints", "endpoints", "Registered endpoints.")
DISABLED_ENDPOINTS = gauge(
    "webhook_endpoints_disabled",
    "endpoints",
    "Endpoints that were disabled because they do not take deliveries.",
)
WAITING = gauge("webhook_messages_waiting", "messages", "Messages that wait to be delivered.")
FAILING_PRODUCTS = gauge(
    "webhook_products_failing", "products", "Products of endpoints whose first waiting message has failed."
)
WAITING_SECONDS = gauge(
    "webhook_messages_waiting_oldest_seconds",
    "seconds",
    "Age of the event of the oldest waiting message of endpoints that take deliveries; 0 if there is none.",
)
READ_LAG_SECONDS = gauge(
    "webhook_read_lag_seconds",
    "seconds",
    "How old an event can be that webhooks have not read yet; 0 while no endpoint takes deliveries, and "
    "while webhooks are paused. It grows while the log cannot be read. NaN in a process without webhooks.",
    is_unknown=True,
)
