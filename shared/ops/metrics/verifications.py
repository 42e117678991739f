"""Projector: what `verify` found, read from PostgreSQL, because `verify` is a process of its own."""

from shared.ops.metrics.declare import gauge
from shared.ops.metrics.labels import PROJECTION

VERIFICATION_DIFFERENCES = gauge(
    "view_verification_differences",
    "differences",
    "Differences between view and log that the last `verify` found. Those of a sample count until a `verify` "
    "of the whole view begins after it. NaN: never verified.",
    PROJECTION,
)
UNVERIFIED_SINCE = gauge(
    "view_unverified_since_timestamp_seconds",
    "seconds since 1970",
    "When a `verify` of the whole view last ended, with or without differences. If none ever did: when the "
    "read model could first store one.",
    PROJECTION,
)
