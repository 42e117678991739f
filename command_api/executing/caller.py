"""The caller of a command, and its metadata in the events."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

import msgspec

from command_api.executing.ports import NewEvent
from shared.contract.codec import encode_event
from shared.contract.events import ProductEvent
from shared.contract.recorded_event import EventMetadata

_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of a command. `import_id` marks the commands of one import."""

    actor: str
    correlation_id: str
    traceparent: str | None = None
    import_id: str | None = None


def signed(
    events: Iterable[ProductEvent], caller: Caller, command_id: str, new_id: Callable[[], UUID]
) -> list[NewEvent]:
    """The events of one command in stored form, each with its own id."""
    new_events = []
    for event in events:
        event_id = new_id()
        metadata = EventMetadata(
            event_id=event_id,
            correlation_id=caller.correlation_id,
            causation_id=command_id,
            command_id=command_id,
            actor=caller.actor,
            traceparent=caller.traceparent,
            import_id=caller.import_id,
        )
        new_events.append(NewEvent(encode_event(event), event_id, _encoder.encode(metadata)))
    return new_events
