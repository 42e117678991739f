"""The publishing of a state is in the trace of each sampled event that the state contains."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest

from projector.state_topic import publish_spans
from projector.state_topic.ports import State
from projector.state_topic.publish_spans import AwaitedStates
from shared.telemetry.trace_context import TraceContext
from tests.recorded_spans import SAMPLED, UNSAMPLED, parent_id_of, recorded_spans
from tests.unit.projector.histories import START, created, new_product_id, recorded
from tests.unit.projector.records import LOG_ID, record_of


def _record(product_id: UUID, stream_version: int, context: TraceContext | None, **changed: Any) -> Any:
    event = recorded(product_id, stream_version, created())
    header = None if context is None else context.header
    metadata = msgspec.structs.replace(event.metadata, traceparent=header)
    new = msgspec.structs.replace(event, metadata=metadata, recorded_at=datetime.now(UTC))
    return record_of(new, stream_version, **changed)


def _replayed(record: Any) -> Any:
    record.headers = (*record.headers, ("ce_replay", b"true"))
    return record


def _published(records: list[Any], *states: tuple[UUID, int]) -> list[str | None]:
    """The parents of the spans of these states, after these records."""
    awaited = AwaitedStates("states")
    with recorded_spans(ratio=0) as spans:
        awaited.expect(records, {0: LOG_ID})
        rows = [State(product_id, version, version, START, b"{}", LOG_ID) for product_id, version in states]
        with awaited.publishing(rows, 0):
            pass
    return [parent_id_of(one) for one in spans.many("publish state")]


def test_a_state_is_published_in_the_trace_of_each_sampled_event_that_it_contains() -> None:
    product_id, other = new_product_id(), SAMPLED.child()
    records = [
        _record(product_id, 1, SAMPLED),
        _record(product_id, 2, UNSAMPLED),
        _record(product_id, 3, other),
    ]
    assert _published(records, (product_id, 2)) == [SAMPLED.span_id]
    assert _published(records, (product_id, 3)) == [SAMPLED.span_id, other.span_id]
    assert _published(records, (new_product_id(), 3)) == []


def test_a_record_that_is_not_sampled_or_replayed_or_unreadable_is_not_awaited() -> None:
    product_id = new_product_id()
    records = [
        _record(product_id, 1, None),
        _record(product_id, 2, UNSAMPLED),
        _replayed(_record(product_id, 3, SAMPLED)),
        _record(product_id, 4, SAMPLED, value=None),
    ]
    assert _published(records, (product_id, 4)) == []


def test_of_too_many_awaited_states_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish_spans, "AWAITED_EVENTS_MAX", 2)
    product_id = new_product_id()
    contexts = [SAMPLED.child() for _ in range(3)]
    records = [_record(product_id, version, one) for version, one in enumerate(contexts, start=1)]
    assert _published(records, (product_id, 3)) == [one.span_id for one in contexts[1:]]
