"""Projector: dead letters, counted in PostgreSQL once a second, and their copies and retries in Kafka."""

from shared.ops.metrics.declare import Label, counter, gauge
from shared.ops.metrics.labels import PROJECTION

PARKED_PRODUCTS = gauge("projection_parked_products", "products", "Products with dead letters.", PROJECTION)
DEAD_LETTERS = gauge("projection_dead_letters", "dead letters", "Dead letters.", PROJECTION)
DEAD_LETTERS_SECONDS = gauge(
    "projection_dead_letters_oldest_seconds",
    "seconds",
    "Age of the oldest dead letter; 0 if there is none.",
    PROJECTION,
)
COPIED = counter(
    "dead_letters_published_total",
    "records",
    "Records copied to a dead-letter topic.",
    Label("topic", "the dead-letter topic: one for each projection"),
)
RETRY_RECORDS = counter(
    "retry_records_total",
    "records",
    "Records that failed and wait for a later attempt.",
    Label("topic", "the topic in which they wait: one for each delay in NOTIFICATION_RETRY_DELAYS"),
)
