"""An event with its position in the log; the relay publishes it, and every consumer folds it."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct


class EventMetadata(Struct, frozen=True, omit_defaults=True):
    """The cause of an event: command, caller, request. Stored as JSON beside the data.

    `command_id` and `actor` are only in the log: records in Kafka do not have them. `import_id` is the same
    for all events of one import; None: no import wrote the event.
    """

    event_id: UUID
    correlation_id: str
    causation_id: str | None = None
    command_id: str | None = None
    actor: str | None = None
    traceparent: str | None = None
    import_id: str | None = None


class RecordedEvent(Struct, frozen=True):
    """One row of the log. `data` is UTF-8 JSON exactly as the codec wrote it.

    `log_position` orders the whole log, `stream_version` (from 1, without gaps) one product's events.
    """

    log_position: int
    product_id: UUID
    stream_version: int
    event_type: str
    schema_version: int
    data: bytes
    metadata: EventMetadata
    recorded_at: datetime
