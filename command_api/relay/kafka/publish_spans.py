"""The spans of publishing a chunk: one for the chunk, and one in the trace of each sampled event."""

from collections.abc import Sequence

from command_api.relay.kafka.lanes import TopicsOf
from command_api.relay.ports import Published
from shared.contract.recorded_event import RecordedEvent
from shared.telemetry import conventions as c
from shared.telemetry.batches import BatchTrace, TracedEvent, traced
from shared.telemetry.spans import Attributes, SpanKind
from shared.telemetry.tracing import is_tracing
from shared.telemetry.waits import NANOSECONDS, Ready

_SENDING: Attributes = {c.MESSAGING_SYSTEM: c.KAFKA, c.MESSAGING_OPERATION: "send"}


class PublishTrace(BatchTrace):
    """For a `with` statement; a replay is linked with the events' traces, and no part of them."""

    def __init__(self, events: Sequence[RecordedEvent], topics_of: TopicsOf, *, is_replay: bool) -> None:
        self._places: list[int] = []
        sampled = self._sampled(events, topics_of, is_replay) if is_tracing() else []
        attributes = {**_SENDING, c.MESSAGING_BATCH: len(events), c.IS_REPLAY: is_replay}
        super().__init__(c.PUBLISH_CHUNK, c.PUBLISH, SpanKind.PRODUCER, sampled, attributes)

    def ended(self, published: Published) -> None:
        """Kafka has confirmed these, and not the others."""
        failure = published.failure
        if failure is None:
            return
        self.span.fail(failure)
        unconfirmed = (at for at, place in enumerate(self._places) if place >= published.confirmed_events)
        self.failures = dict.fromkeys(unconfirmed, failure)

    def _sampled(
        self, events: Sequence[RecordedEvent], topics_of: TopicsOf, is_replay: bool
    ) -> list[TracedEvent]:
        found = []
        for place, event in enumerate(events):
            one = traced(event, is_replay=is_replay)
            if one is not None:
                topic, *others = topics_of(event.event_type)
                more = {c.MESSAGING_DESTINATION: topic, c.ALSO_PUBLISHED_TO: others}
                # By the clock of PostgreSQL, which has recorded it.
                ready = Ready(c.WAIT_FOR_RELAY, int(event.recorded_at.timestamp() * NANOSECONDS))
                found.append(one.having({**_SENDING, **more})._replace(ready=ready))
                self._places.append(place)
        return found
