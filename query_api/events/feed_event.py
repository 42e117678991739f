"""An event as the feed sends it: encoded once, however many readers get it."""

from typing import NamedTuple
from uuid import UUID

from query_api.events.ports import EventFilter
from shared.contract.recorded_event import RecordedEvent
from shared.kafka.cloud_event_json import event_json


class FeedEvent(NamedTuple):
    """`json` is one line of CloudEvents JSON; `recorded` is what it was made of."""

    recorded: RecordedEvent
    json: bytes

    @property
    def log_position(self) -> int:
        """Its place in the log."""
        return self.recorded.log_position


def encoded(event: RecordedEvent, log_id: UUID) -> FeedEvent:
    """The event of this log as the feed sends it."""
    return FeedEvent(event, event_json(event, str(log_id).encode()))


def matches(event: RecordedEvent, wanted: EventFilter) -> bool:
    """Whether a reader with this filter gets the event."""
    return (
        (wanted.types is None or event.event_type in wanted.types)
        and (wanted.product_id is None or event.product_id == wanted.product_id)
        and (wanted.since is None or event.recorded_at >= wanted.since)
        and (wanted.until is None or event.recorded_at < wanted.until)
    )
