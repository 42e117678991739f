"""Labels that several areas use."""

from shared.contract.codec import STORED_TYPES
from shared.ops.metrics.declare import Label

EVENT_TYPES = tuple(stored.event_type for stored in STORED_TYPES)
OTHER_TYPE = "other"

EVENT_TYPE = Label(
    "type", "the event type; `other` for a type that this release does not know", (*EVENT_TYPES, OTHER_TYPE)
)
PROJECTION = Label("projection", "the projection's name, as in `python -m projector status`")
