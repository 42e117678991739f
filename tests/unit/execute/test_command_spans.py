"""The spans of a command: what its events continue, its version conflicts, and how long it waited."""

import asyncio
from uuid import uuid4

import msgspec
import pytest
from opentelemetry.trace import StatusCode

from command_api.domain import commands as c
from command_api.domain.errors import ProductNotFound
from command_api.executing.caller import Caller
from command_api.executing.ports import Append, Appended, AppendOutcome, StoreUnavailable, VersionConflict
from command_api.executing.request import Done, Request
from command_api.postgres.append_spans import AppendSpans, Turn
from shared.contract.recorded_event import EventMetadata
from shared.telemetry.spans import SpanKind
from shared.telemetry.tracing import trace
from tests.executing import execute_command
from tests.in_memory_event_store import InMemoryEventStore
from tests.recorded_spans import (
    SAMPLED,
    UNSAMPLED,
    links_of,
    parent_id_of,
    recorded_spans,
    span_id_of,
    trace_id_of,
)
from tests.unit.domain.samples import created

CALLER = Caller("ann", "request-1", "00-aa-bb-01")
ATTRIBUTES_OF_A_NEW_PRODUCT = {
    "catalogue.command": "CreateProduct",
    "catalogue.stream_version": 1,
    "catalogue.log_position": 1,
}


def _render(_: Done) -> tuple[int, bytes]:
    return 200, b""


def _created() -> Request:
    return Request(c.CreateProduct(created()), uuid4(), CALLER, _render)


def _traceparent(append: Append) -> str | None:
    return msgspec.json.decode(append.events[0].metadata, type=EventMetadata).traceparent


async def test_the_events_of_a_command_continue_its_span() -> None:
    store = InMemoryEventStore()
    request = _created()
    with recorded_spans() as spans, trace("request", SpanKind.SERVER):
        await execute_command(store).execute(request)
    execute = spans.one("execute command")
    assert parent_id_of(execute) == span_id_of(spans.one("request"))
    assert _traceparent(store.appends[0]) == f"00-{trace_id_of(execute)}-{span_id_of(execute)}-01"
    expected = {**ATTRIBUTES_OF_A_NEW_PRODUCT, "catalogue.product_id": str(request.product_id)}
    assert dict(execute.attributes or {}) == expected


async def test_the_events_of_a_command_that_is_not_sampled_continue_the_request() -> None:
    store = InMemoryEventStore()
    with recorded_spans() as spans, trace("request", SpanKind.SERVER, UNSAMPLED):
        await execute_command(store).execute(_created())
    assert _traceparent(store.appends[0]) == CALLER.traceparent
    assert spans.all == []


async def test_each_version_conflict_is_an_event_in_the_commands_span() -> None:
    store = InMemoryEventStore()
    execute = execute_command(store)
    request = _created()
    await execute.execute(request)

    async def rival(_: Append) -> None:
        change = Request(c.ChangeDetails({"name": "Theirs"}), request.product_id, CALLER, _render)
        await execute_command(store).execute(change)

    store.before_append = rival
    ours = Request(c.ChangeDetails({"name": "Ours"}), request.product_id, CALLER, _render)
    with recorded_spans() as spans, trace("request", SpanKind.SERVER):
        await execute.execute(ours)
    (conflict,) = [event for one in spans.all for event in one.events]
    assert (conflict.name, dict(conflict.attributes or {})) == (
        "version conflict",
        {"catalogue.current_version": 2},
    )


async def test_a_refusal_is_no_failure_and_an_outage_is_one() -> None:
    store = InMemoryEventStore()
    execute = execute_command(store)
    change = Request(c.ChangeDetails({"name": "Sea"}), uuid4(), CALLER, _render)
    with recorded_spans() as spans, trace("request", SpanKind.SERVER, refusals=Exception):
        with pytest.raises(ProductNotFound):
            await execute.execute(change)
        store.failure = StoreUnavailable("away")
        with pytest.raises(StoreUnavailable):
            await execute.execute(change)
    refused, failed = spans.many("execute command")
    assert (refused.status.status_code, failed.status.status_code) == (StatusCode.UNSET, StatusCode.ERROR)
    assert (refused.attributes or {})["error.type"] == "ProductNotFound"


async def _nothing() -> str:
    return "nothing"


def _append() -> Append:
    return Append(uuid4(), 0, 0, ())


def _settled(outcome: AppendOutcome | Exception) -> "asyncio.Future[AppendOutcome]":
    future: asyncio.Future[AppendOutcome] = asyncio.get_running_loop().create_future()
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
    return future


async def test_a_call_of_several_commands_is_in_the_trace_of_each_sampled_one() -> None:
    with recorded_spans() as spans:
        with trace("sampled", SpanKind.SERVER, SAMPLED):
            mine = Turn.begin()
        with trace("not sampled", SpanKind.SERVER, UNSAMPLED):
            theirs = Turn.begin()
        call = AppendSpans.begin([mine, theirs], _nothing)
        assert call is not None
        call.end([(mine, _append(), _settled(Appended(1, 7))), (theirs, _append(), _settled(Appended(1, 8)))])
    wait, append, shared = spans.one("wait for append"), spans.one("append"), spans.one("append call")
    request = spans.one("sampled")
    assert parent_id_of(wait) == parent_id_of(append) == span_id_of(request)
    assert links_of(append) == {span_id_of(shared)}
    assert links_of(shared) == {span_id_of(request)}
    assert trace_id_of(shared) != trace_id_of(request)
    assert (shared.attributes or {})["db.operation.batch.size"] == 2
    assert (append.attributes or {})["catalogue.log_position"] == 7
    assert wait.end_time == append.start_time == shared.start_time


async def test_a_call_without_a_sampled_command_leaves_no_span() -> None:
    assert Turn.begin() is None
    assert AppendSpans.begin([None, None], _nothing) is None


@pytest.mark.parametrize(
    ("outcome", "status", "result"),
    [
        (VersionConflict(3), StatusCode.UNSET, "VersionConflict"),
        (StoreUnavailable("away"), StatusCode.ERROR, None),
        (None, StatusCode.ERROR, None),
        ("left", StatusCode.UNSET, "the caller has left"),
    ],
)
async def test_the_outcome_of_the_append_is_in_its_span(
    outcome: AppendOutcome | Exception | str | None, status: StatusCode, result: str | None
) -> None:
    future: asyncio.Future[AppendOutcome] = asyncio.get_running_loop().create_future()
    if isinstance(outcome, str):
        future.cancel()
    elif outcome is not None:
        future = _settled(outcome)
    with recorded_spans() as spans:
        with trace("request", SpanKind.SERVER):
            turn = Turn.begin()
        call = AppendSpans.begin([turn], _nothing)
        assert call is not None
        call.end([(turn, _append(), future)])
    append = spans.one("append")
    assert append.status.status_code is status
    assert (append.attributes or {}).get("catalogue.outcome") == result
