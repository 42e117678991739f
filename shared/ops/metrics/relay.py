"""Relay: from the log to Kafka."""

from shared.ops.metrics.declare import SLOW_SECONDS, Label, counter, gauge, histogram

RELAY_ACTIVE = gauge(
    "relay_active", "0 or 1", "1 while this process holds the relay's lock, 0 on standby. One relay has 1."
)
RELAY_POSITION = gauge(
    "relay_position",
    "log position",
    "Log position up to which Kafka has confirmed all events to this process.",
)
RELAY_BATCH_EVENTS = histogram(
    "relay_batch_events",
    "events",
    "Events per published chunk. Its sum is the rate of events.",
    buckets=(1, 2, 5, 10, 50, 100, 500, 1000, 2000, 5000),
)
RELAY_RESTARTS = counter(
    "relay_restarts_total",
    "interruptions",
    "How often publishing was interrupted and started again.",
    Label(
        "reason",
        "log_unavailable: PostgreSQL. publish_failed: Kafka. replaced: another relay took over. "
        "operator_needed: Kafka will always refuse an event, or a topic is wrong",
        ("log_unavailable", "replaced", "publish_failed", "operator_needed"),
    ),
)
RELAY_LAG_EVENTS = gauge(
    "relay_lag_events",
    "events",
    "Events in the log that Kafka has not confirmed; NaN: unknown.",
    is_unknown=True,
)
RELAY_LAG_SECONDS = gauge(
    "relay_lag_seconds",
    "seconds",
    "Age of the oldest event that Kafka has not confirmed, 0 if there is none; NaN: unknown.",
    is_unknown=True,
)
RELAY_DELIVERY_SECONDS = histogram(
    "relay_delivery_seconds",
    "seconds",
    "Time from the commit of an event to its confirmation by Kafka. Replays do not count.",
    buckets=SLOW_SECONDS,
)
KAFKA_PUBLISH = counter(
    "kafka_publish_total",
    "records",
    "Records sent to Kafka.",
    Label("topic", "one of the four topics of events, with the installation's prefix"),
    Label("result", "confirmed; failed: Kafka did not confirm, it is sent again", ("confirmed", "failed")),
)
