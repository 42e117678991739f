"""Webhooks: what is delivered, what waits, and which endpoints fail."""

from deploy.grafana.board import Panel, Query, Row, quantiles, rate_by

WEBHOOKS = Row(
    "Webhooks",
    [
        Panel(
            "Attempts a second by outcome",
            "ops",
            "`retried`: tried again later. `failed`: given up after the last try.",
            "WebhookEndpointDisabled",
            [rate_by("outcome", "webhook_attempts_total")],
        ),
        Panel(
            "How long attempts take",
            "s",
            "The answer of the receiver included.",
            "WebhooksLate",
            quantiles("webhook_attempt_seconds"),
        ),
        Panel(
            "Messages that wait",
            "short",
            "Of all endpoints. More events wait in the log.",
            "WebhooksLate",
            [Query("max(webhook_messages_waiting)", "messages")],
        ),
        Panel(
            "Age of the oldest message that waits",
            "s",
            "Of endpoints that take deliveries. Hours are usual while a receiver fails.",
            "WebhooksLate",
            [Query("max(webhook_messages_waiting_oldest_seconds)", "oldest")],
        ),
        Panel(
            "Lag of the reading of the log",
            "s",
            "How old an event can be that is in no queue yet. Full queues do not count.",
            "WebhooksReadLate",
            [Query("min(webhook_read_lag_seconds)", "lag")],
        ),
        Panel(
            "Products that wait for a retry",
            "short",
            "Their first message failed; the later ones wait behind it.",
            "WebhookEndpointDisabled",
            [Query("max(webhook_products_failing)", "products")],
        ),
        Panel(
            "Endpoints",
            "short",
            "Registered ones, and those that were disabled because they take nothing.",
            "WebhookEndpointDisabled",
            [
                Query("max(webhook_endpoints)", "registered"),
                Query("max(webhook_endpoints_disabled)", "disabled"),
            ],
        ),
    ],
)
