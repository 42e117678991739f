"""Connections that break at each moment of an append: every command is answered truly and written once."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import asyncpg
import pytest
import pytest_asyncio
from uuid_utils.compat import uuid7

from command_api.executing.ports import (
    Append,
    Appended,
    DuplicateKey,
    OutcomeUnknown,
    StoreUnavailable,
    VersionConflict,
)
from command_api.postgres.event_store import PostgresEventStore
from deploy.local.postgres import PostgresServer
from shared.postgres.sql import load_sql
from tests.eventually import eventually
from tests.integration.event_store_world import Connection, open_store, waits_for_the_append_lock
from tests.servers import DatabaseDsns
from tests.tcp_proxy import TcpProxy
from tests.unit.execute.appends import answer_under, at, change, creation, no_op
from tests.ways import Way

pytestmark = pytest.mark.servers
TAKE_LOCK = load_sql("command_api.postgres", "take_append_lock")
END_APPENDER = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE application_name = 'command-api append' AND datname = current_database()
"""


WAITING_QUERIES = """
    SELECT query FROM pg_stat_activity
    WHERE application_name = 'command-api append' AND wait_event = 'advisory' AND datname = current_database()
"""


@pytest_asyncio.fixture
async def proxy(postgres_server: PostgresServer) -> AsyncIterator[TcpProxy]:
    async with TcpProxy("127.0.0.1", postgres_server.port) as proxy:
        yield proxy


@pytest_asyncio.fixture
async def store(
    event_store_dsns: DatabaseDsns, postgres_server: PostgresServer, proxy: TcpProxy, way_to_primary: Way
) -> AsyncIterator[PostgresEventStore]:
    """A store whose appends go through the proxy, and that has prepared both of its statements. Its reads do,
    too, or take another way.
    """
    dsn = event_store_dsns.writer.replace(f":{postgres_server.port}/", f":{proxy.port}/")
    store = await open_store(dsn, recovery_seconds_max=60, way=way_to_primary)
    assert await store.append(WARM) == Appended(1, 1)
    assert await store.append(no_op(WARM.product_id, at(1, 1), answer_under(uuid7()))) == Appended(1, 1)
    yield store
    await store.close()


WARM = creation("warm")


@pytest_asyncio.fixture
async def writer(event_store_dsns: DatabaseDsns) -> AsyncIterator[Connection]:
    connection: Connection = await asyncpg.connect(event_store_dsns.writer)
    yield connection
    await connection.close()


def _batch() -> list[Append]:
    """Creations, a change, a conflict, an answer alone: of each kind one that can be lost."""
    return [
        creation("a", answer=answer_under(uuid7())),
        creation("b"),
        change(WARM.product_id, at(1, 1)),
        change(uuid7(), at(4, 4)),
    ]


EXPECTED = [Appended(1, 2), Appended(1, 3), Appended(2, 4), VersionConflict(0)]


async def _written_once(writer: Connection, appends: Sequence[Append]) -> None:
    rows = await writer.fetch("SELECT metadata FROM catalogue.events WHERE position > 1 ORDER BY position")
    assert [row[0] for row in rows] == [event.metadata for append in appends for event in append.events]


async def test_a_connection_cut_before_the_server_hears_of_the_call_costs_nothing(
    store: PostgresEventStore, proxy: TcpProxy, writer: Connection
) -> None:
    proxy.cuts_at_request = True
    batch = _batch()
    assert await asyncio.gather(*map(store.append, batch)) == EXPECTED
    await _written_once(writer, batch[:3])


async def test_a_connection_cut_after_the_commit_and_before_the_answer_writes_nothing_twice(
    store: PostgresEventStore, proxy: TcpProxy, writer: Connection
) -> None:
    proxy.cuts_at_answer = True
    batch = _batch()
    assert await asyncio.gather(*map(store.append, batch)) == EXPECTED
    await _written_once(writer, batch[:3])
    assert batch[0].answer is not None
    answer = await store.find_answer(batch[0].answer.key)
    assert answer is not None
    assert (answer.product_id, answer.last_position) == (batch[0].product_id, 2)


async def test_an_answer_alone_that_was_stored_before_the_cut_is_found_by_its_key(
    store: PostgresEventStore, proxy: TcpProxy
) -> None:
    proxy.cuts_at_answer = True
    quiet = no_op(WARM.product_id, at(1, 1), answer_under(uuid7()))
    assert await store.append(quiet) == DuplicateKey()
    assert quiet.answer is not None
    stored = await store.find_answer(quiet.answer.key)
    assert stored is not None
    assert (stored.fingerprint, stored.body) == (quiet.answer.fingerprint, quiet.answer.body)


@pytest.mark.parametrize("how", ["backend killed", "connection cut"])
async def test_a_connection_that_dies_while_it_waits_for_the_lock_is_replaced_and_the_old_call_never_lands(
    store: PostgresEventStore, proxy: TcpProxy, writer: Connection, event_store_dsns: DatabaseDsns, how: str
) -> None:
    holder: Connection = await asyncpg.connect(event_store_dsns.writer)
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute(TAKE_LOCK)
    batch = _batch()
    tasks = [asyncio.create_task(store.append(append)) for append in batch]
    await waits_for_the_append_lock(writer)
    if how == "backend killed":
        assert await writer.fetchval(END_APPENDER) == 1
    else:
        proxy.cut()  # the old backend still waits, and would write once it has the lock

    async def recovery_waits() -> bool:
        queries = [row[0] for row in await writer.fetch(WAITING_QUERIES)]
        assert len(queries) == 1
        assert TAKE_LOCK in queries[0]
        return True

    await eventually(recovery_waits)  # type: ignore[arg-type]
    await transaction.commit()
    assert await asyncio.gather(*tasks) == EXPECTED
    await _written_once(writer, batch[:3])
    await holder.close()


async def test_a_recovery_past_its_bound_says_that_the_outcome_is_unknown_and_the_store_recovers(
    event_store_dsns: DatabaseDsns, writer: Connection
) -> None:
    store = await open_store(event_store_dsns.writer, recovery_seconds_max=0.3)
    holder: Connection = await asyncpg.connect(event_store_dsns.writer)
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute(TAKE_LOCK)
    append = creation("a")
    task = asyncio.create_task(store.append(append))
    await waits_for_the_append_lock(writer)
    await writer.fetchval(END_APPENDER)
    with pytest.raises(OutcomeUnknown):
        await task
    await transaction.commit()
    assert await store.append(append) == Appended(1, 1)
    await holder.close()
    await store.close()


async def test_a_store_that_is_stopped_is_unavailable_and_works_again_once_it_is_back(
    event_store_dsns: DatabaseDsns, postgres_server: PostgresServer
) -> None:
    store = await open_store(event_store_dsns.writer)
    first = creation("a")
    await store.append(first)
    await asyncio.to_thread(postgres_server.stop)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await store.append(creation("b"))
        with pytest.raises(StoreUnavailable):
            await store.load(first.product_id)
        with pytest.raises(StoreUnavailable):
            await store.find_answer(uuid7())
        with pytest.raises(StoreUnavailable):
            await store.find_holder(("s", "a"))
    await asyncio.to_thread(postgres_server.start)
    assert await store.append(creation("b")) == Appended(1, 2)
    assert (await store.load(first.product_id)).stream_version == 1
    await store.close()


async def test_a_server_that_crashes_in_the_middle_is_asked_again_once_it_is_back(
    event_store_dsns: DatabaseDsns, postgres_server: PostgresServer
) -> None:
    store = await open_store(event_store_dsns.writer, recovery_seconds_max=60)
    await store.append(creation("warm"))
    writer: Connection = await asyncpg.connect(event_store_dsns.writer)
    transaction = writer.transaction()
    await transaction.start()
    await writer.execute(TAKE_LOCK)
    tasks = [asyncio.create_task(store.append(creation(slug))) for slug in "abc"]
    await waits_for_the_append_lock(writer)
    await asyncio.to_thread(postgres_server.kill)
    await asyncio.to_thread(postgres_server.start)
    outcomes = await asyncio.gather(*tasks)
    assert [type(outcome) for outcome in outcomes] == [Appended] * 3
    again: Connection = await asyncpg.connect(event_store_dsns.writer)
    assert await again.fetchval("SELECT count(*) FROM catalogue.events") == 4
    await again.close()
    writer.terminate()
    await store.close()


async def test_a_store_that_never_could_connect_is_unavailable(event_store_dsns: DatabaseDsns) -> None:
    store = await open_store(event_store_dsns.writer.replace("/event", "/no_event"))
    with pytest.raises(StoreUnavailable):
        await store.append(creation("a"))
    await store.close()
