"""The trace of one slow command says where the time went, to somebody who does not know the cause.

Each fault is made for real, and the last lines of the waterfall must name it.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from command_api.postgres.append_watch import LOOK_AFTER_SECONDS
from command_api.postgres.writer_connection import LOOK_SECONDS_MAX
from deploy.local.traces.own_time import longest
from deploy.local.traces.receiver import TraceReceiver
from deploy.local.traces.spans import StoredSpan
from deploy.local.traces.waits import without_overlap
from shared.telemetry.conventions import WAIT_FOR, WAIT_FOR_STATES, WAITED_FOR
from shared.telemetry.waits import NANOSECONDS
from tests.end_to_end.catalogue import Catalogue, unique, variant
from tests.end_to_end.system import Servers, System
from tests.end_to_end.traced import of_name, traced_system
from tests.eventually import eventually

pytestmark = pytest.mark.servers
_HELD_SECONDS = 1.0
_LOCKED_SECONDS = LOOK_AFTER_SECONDS + LOOK_SECONDS_MAX + 2.0
"""After this a look at a slow call has its answer, or has given up."""
_LOOKS_MAX = 5
"""On a busy machine a look may give up: it has one second for a new connection and its question."""
_PATIENCE = {
    "APPEND_TIMEOUT_SECONDS": "60",  # a call that waits for a lock is not given up
    "SESSION_TIMEOUT_SECONDS": "30",  # a projector that is stopped for a moment keeps its partitions
}


@pytest.fixture(scope="module")
def traced(
    servers: Servers, receiver: TraceReceiver, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    with traced_system(servers, receiver, Path(tmp_path_factory.mktemp("system")), _PATIENCE) as one:
        yield one


@pytest.fixture
def system(traced: System) -> System:
    traced.ensure_running()
    return traced


def _begin_trace() -> tuple[str, str]:
    """A trace id, and the header of a caller in that trace."""
    trace_id = secrets.token_hex(16)
    return trace_id, f"00-{trace_id}-{secrets.token_hex(8)}-01"


@asynccontextmanager
async def _held_stream(
    system: System, product_id: str
) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Somebody's open transaction has the row of the product's stream."""
    connection = await asyncpg.connect(
        system.event_store.owner, server_settings={"application_name": "somebody"}
    )
    try:
        async with connection.transaction():
            await connection.execute(
                "SELECT FROM catalogue.streams WHERE product_id = $1 FOR UPDATE", product_id
            )
            yield connection
    finally:
        await connection.close()


async def _waiting_calls(connection: "asyncpg.Connection[asyncpg.Record]") -> int:
    """How many sessions have waited for this one so long that the look at their call is over."""
    found: int = await connection.fetchval(
        "SELECT count(*) FROM pg_locks held JOIN pg_locks waiting ON NOT waiting.granted "
        "AND pg_backend_pid() = ANY (pg_blocking_pids(waiting.pid)) "
        "WHERE held.pid = pg_backend_pid() "
        "AND waiting.waitstart < clock_timestamp() - make_interval(secs => $1)",
        _LOCKED_SECONDS,
    )
    return found


async def _trace_with(receiver: TraceReceiver, trace_id: str, *names: str) -> list[StoredSpan]:
    async def all_are_there() -> None:
        spans = receiver.store.trace(trace_id)
        assert {one.name for one in spans} >= set(names)

    await eventually(all_are_there)
    return list(receiver.store.trace(trace_id))


async def _trace_of_a_held_command(
    system: System, catalogue: Catalogue, receiver: TraceReceiver, product_id: str
) -> list[StoredSpan]:
    trace_id, traceparent = _begin_trace()
    body = {"description": unique("later")}
    async with _held_stream(system, product_id) as holder:
        writing = asyncio.create_task(
            catalogue.write("PATCH", f"/v1/products/{product_id}", body, traceparent=traceparent)
        )

        async def it_waits() -> None:
            assert await _waiting_calls(holder) > 0

        await eventually(it_waits)
    answer = await writing
    assert answer.status_code == 200, answer.text
    return await _trace_with(receiver, trace_id, "append")


async def test_a_command_that_waits_for_a_lock_names_its_holder(
    system: System, catalogue: Catalogue, receiver: TraceReceiver
) -> None:
    product = await catalogue.create(name=unique("Held"), variants=[variant(unique("sku"))])
    for _ in range(_LOOKS_MAX):
        spans = await _trace_of_a_held_command(system, catalogue, receiver, product["id"])
        (append,) = of_name(spans, "append")
        waited_for = append.attributes.get(WAITED_FOR, "not seen")
        if not waited_for.startswith(("not known: ", "not seen")):
            break
    assert waited_for.startswith("Lock ")
    assert "(somebody" in waited_for
    command = [one for one in spans if one.service == "command-api"]
    assert longest(command)[0][0] == append


async def _has_waited_since(began_ns: int) -> None:
    async def long_enough() -> None:
        assert time.time_ns() - began_ns > _HELD_SECONDS * NANOSECONDS

    await eventually(long_enough)


def _is_explained_by(spans: list[StoredSpan], waits: str, work: str) -> None:
    shown = without_overlap(spans)
    (waited,), (worked,) = of_name(shown, waits), of_name(shown, work)
    assert (waited.ended_ns, waited.parent_id) == (worked.began_ns, worked.parent_id)
    assert waited.milliseconds >= _HELD_SECONDS * 1000
    (published,) = of_name(shown, "publish")
    for one in shown:
        is_of_a_projection = one.service == "projector" and one.name != WAIT_FOR_STATES
        if one.name.startswith(WAIT_FOR) and is_of_a_projection:
            assert one.began_ns >= published.ended_ns, "the time before is the relay's"


async def test_an_event_that_waits_for_a_stopped_relay_says_so(
    system: System, catalogue: Catalogue, receiver: TraceReceiver
) -> None:
    trace_id, traceparent = _begin_trace()
    await asyncio.to_thread(system.relay.pause)
    try:
        await _create(catalogue, traceparent)
        await _has_waited_since(time.time_ns())
    finally:
        await asyncio.to_thread(system.relay.resume)
    spans = await _trace_with(receiver, trace_id, "wait for relay", "publish")
    _is_explained_by(spans, "wait for relay", "publish")


async def test_an_event_that_waits_for_a_stopped_projector_says_so(
    system: System, catalogue: Catalogue, receiver: TraceReceiver
) -> None:
    trace_id, traceparent = _begin_trace()
    await asyncio.to_thread(system.projector.pause)
    try:
        await _create(catalogue, traceparent)
        (published,) = of_name(await _trace_with(receiver, trace_id, "publish"), "publish")
        await _has_waited_since(published.ended_ns)
    finally:
        await asyncio.to_thread(system.projector.resume)
    spans = await _trace_with(receiver, trace_id, "wait for product_view", "process product_view")
    _is_explained_by(spans, "wait for product_view", "process product_view")


async def _create(catalogue: Catalogue, traceparent: str) -> None:
    body = {"name": unique("Late"), "variants": [variant(unique("sku"))]}
    answer = await catalogue.write("POST", "/v1/products", body, traceparent=traceparent)
    assert answer.status_code == 201, answer.text
