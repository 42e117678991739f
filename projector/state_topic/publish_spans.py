"""The spans of publishing states: in the trace of each sampled event that the published state contains.

The table of states has no trace contexts, so they are kept in memory from the event's batch on.
A state that another process publishes, after a kill for example, is not in its event's trace.
"""

import time
from collections.abc import Mapping, Sequence
from uuid import UUID

from projector.applying.records import Delivered
from projector.kafka.records import Record, read_one
from projector.state_topic.ports import State
from shared.kafka.cloud_event import is_replay
from shared.telemetry import conventions as c
from shared.telemetry.batches import BatchTrace, TracedEvent, may_be_sampled, traced
from shared.telemetry.spans import Attributes, SpanKind
from shared.telemetry.tracing import is_tracing
from shared.telemetry.waits import Ready

AWAITED_EVENTS_MAX = 2_000


class AwaitedStates:
    """The sampled events whose states are to be published; of too many, the oldest are forgotten."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._awaited: dict[tuple[UUID, int], TracedEvent] = {}

    def expect(self, records: Sequence[Record], log_ids: Mapping[int, UUID]) -> None:
        """These are about to be applied."""
        if not is_tracing():
            return
        for record in records:
            if not _may_be_awaited(record):
                continue
            item = read_one(record, log_ids[record.partition])
            found = traced(item.event) if isinstance(item, Delivered) else None
            if found is None or not isinstance(item, Delivered):
                continue
            self._awaited[item.event.product_id, item.event.stream_version] = found._replace(
                ready=Ready(c.WAIT_FOR_STATES, time.time_ns())
            )
            if len(self._awaited) > AWAITED_EVENTS_MAX:
                del self._awaited[next(iter(self._awaited))]

    def publishing(self, states: Sequence[State], partition: int) -> BatchTrace:
        """These are published now, in a `with` statement."""
        more: Attributes = {
            c.MESSAGING_SYSTEM: c.KAFKA,
            c.MESSAGING_OPERATION: "send",
            c.MESSAGING_DESTINATION: self._topic,
            c.MESSAGING_PARTITION: str(partition),
        }
        events = [one.having(more) for one in self._take(states)] if self._awaited else []
        attributes = {**more, c.MESSAGING_BATCH: len(states)}
        return BatchTrace(c.PUBLISH_STATES, c.PUBLISH_STATE, SpanKind.PRODUCER, events, attributes)

    def _take(self, states: Sequence[State]) -> list[TracedEvent]:
        published = {state.product_id: state.stream_version for state in states}
        contained = [key for key in self._awaited if key[1] <= published.get(key[0], 0)]
        return [self._awaited.pop(key) for key in contained]


def _may_be_awaited(record: Record) -> bool:
    """By its headers alone: the batch reads each event again, so only few are read here."""
    header = dict(record.headers).get("traceparent") or b""
    return may_be_sampled(header.decode("latin-1")) and not is_replay(record.headers)
