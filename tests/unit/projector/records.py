"""Events as Kafka delivers them to a projector, sound or spoilt, and what a view holds after them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from aiokafka import ConsumerRecord

from projector.applying.ports import Fold
from projector.views.product_document import FOLD as DOCUMENTS
from shared.contract.recorded_event import RecordedEvent
from shared.kafka.cloud_event import record_headers
from tests.unit.projector.folding import folded as fold_all

LOG_ID = UUID(int=7)
TOPIC = "t"
UNKNOWN = "product-blessed"
"""A type that no fold uses."""


def record_of(event: RecordedEvent, offset: int, **changed: Any) -> Any:
    """The Kafka record of an event, as the relay makes it, but for what is changed."""
    fields = {
        "topic": TOPIC, "partition": 0, "offset": offset, "timestamp": 1_700_000_000_000, "timestamp_type": 0,
        "key": str(event.product_id).encode(), "value": event.data, "checksum": None,
        "serialized_key_size": 36, "serialized_value_size": len(event.data),
        "headers": tuple(record_headers(event, str(LOG_ID).encode())),
    }  # fmt: skip
    return ConsumerRecord(**{**fields, **changed})


def broken(event: RecordedEvent, **changed: Any) -> RecordedEvent:
    return msgspec.structs.replace(event, **(changed or {"data": b"{"}))


def stored(state: Any) -> Any:
    """A state as it is loaded: without what only a batch knows."""
    for of_a_batch, nothing in (("facts", ()), ("moved", {})):
        if hasattr(state, of_a_batch):
            state = msgspec.structs.replace(state, **{of_a_batch: nothing})
    return state


def folded(events: Sequence[RecordedEvent], fold: Fold[Any] = DOCUMENTS) -> tuple[int, Any]:
    """(version, state) after these events, as it is loaded."""
    return events[-1].stream_version, stored(fold_all(fold, events))
