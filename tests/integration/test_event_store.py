"""The event store in PostgreSQL: the suite of every event store, and what only a database can promise."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest
import pytest_asyncio
from uuid_utils.compat import uuid7

from command_api.executing.ports import (
    Append,
    Appended,
    DuplicateKey,
    ReservationTaken,
    StoreOverloaded,
    StoreUnavailable,
    VersionConflict,
)
from command_api.postgres.append_call import call_append
from command_api.postgres.event_store import PostgresEventStore
from command_api.postgres.group_commit import GroupCommitLimits
from command_api.postgres.maintenance import purge_of_keys
from command_api.postgres.writer_connection import WriterConnection
from shared.contract import events as e
from shared.postgres.pool import create_pool
from shared.postgres.sql import load_sql
from tests.counters import counted
from tests.eventually import eventually
from tests.integration.event_store_world import (
    PATIENCE_SECONDS,
    Connection,
    open_store,
    streams_that_lie,
    waits_for_the_append_lock,
)
from tests.servers import DatabaseDsns
from tests.unit.execute.appends import answer_under, at, change, creation, no_op
from tests.unit.execute.event_store_suite import EventStoreSuite
from tests.ways import Way

pytestmark = pytest.mark.servers


@pytest_asyncio.fixture
async def store(event_store_dsns: DatabaseDsns, way_to_primary: Way) -> AsyncIterator[PostgresEventStore]:
    store = await open_store(event_store_dsns.writer, way=way_to_primary)
    yield store
    await store.close()


@pytest_asyncio.fixture
async def owner(event_store_dsns: DatabaseDsns) -> AsyncIterator[Connection]:
    connection: Connection = await asyncpg.connect(event_store_dsns.owner)
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def writer(event_store_dsns: DatabaseDsns) -> AsyncIterator[Connection]:
    connection: Connection = await asyncpg.connect(event_store_dsns.writer)
    yield connection
    await connection.close()


class TestPostgresEventStore(EventStoreSuite):
    """The suite of every event store."""


async def test_outcomes_keep_their_order_between_the_commands_of_one_call(writer: Connection) -> None:
    key = uuid7()
    first = creation("shirt", "S-1", answer=answer_under(key))
    hat = creation("hat", "H-1")
    assert await call_append(writer, [first, hat]) == [Appended(1, 1), Appended(1, 2)]
    batch = [
        creation("a", "A-1", "A-2"),
        change(first.product_id, at(7), claims=[("s", "hat")], answer=answer_under(key)),
        change(hat.product_id, at(7), claims=[("s", "shirt")]),
        creation("b", "B-1", "S-1"),
        creation("c", "C-1"),
    ]
    assert await call_append(writer, batch) == [
        Appended(1, 3),
        DuplicateKey(),
        VersionConflict(1),
        ReservationTaken(("k", "S-1")),
        Appended(1, 4),
    ]


async def test_a_mixed_call_numbers_what_it_accepts_without_a_hole(
    writer: Connection, owner: Connection
) -> None:
    old = [creation(f"old{number}") for number in range(5)]
    await call_append(writer, old)
    batch: list[Append] = []
    for number, append in enumerate(old):
        stream = at(1, number + 1) if number % 2 else at(3)
        batch.append(
            change(append.product_id, stream, e.ProductDetailsChanged(name="x"), e.ProductPublished())
        )
        batch.append(creation(f"new{number}", f"n{number}", "old0" if number == 3 else f"m{number}"))
    outcomes = await call_append(writer, batch)
    expected = 5
    for append, outcome in zip(batch, outcomes, strict=True):
        if isinstance(outcome, Appended):
            expected += len(append.events)
            assert outcome == Appended(append.expected_version + len(append.events), expected)
    positions = [row[0] for row in await owner.fetch("SELECT position FROM catalogue.events ORDER BY 1")]
    assert positions == list(range(1, expected + 1))
    assert await streams_that_lie(owner) == []


async def test_a_key_older_than_a_day_is_free_again(store: PostgresEventStore, owner: Connection) -> None:
    key = uuid7()
    await store.append(creation("shirt", answer=answer_under(key, b"old")))
    assert await store.append(creation("hat", answer=answer_under(key, b"new"))) == DuplicateKey()
    await owner.execute("UPDATE catalogue.idempotency_keys SET created_at = now() - interval '23 h 59 min'")
    assert await store.append(creation("hat", answer=answer_under(key, b"new"))) == DuplicateKey()
    await owner.execute("UPDATE catalogue.idempotency_keys SET created_at = now() - interval '24 h 1 s'")
    assert await store.find_answer(key) is None
    hat = creation("hat", answer=answer_under(key, b"new"))
    assert await store.append(hat) == Appended(1, 2)
    answer = await store.find_answer(key)
    assert answer is not None
    assert (answer.product_id, answer.body) == (hat.product_id, b"new")


async def test_maintenance_purges_expired_keys_and_keeps_the_others(
    event_store_dsns: DatabaseDsns, store: PostgresEventStore, owner: Connection
) -> None:
    keys = [uuid7() for _ in range(4)]
    for number, key in enumerate(keys):
        await store.append(creation(f"p{number}", answer=answer_under(key)))
    expired = (
        "UPDATE catalogue.idempotency_keys SET created_at = now() - interval '25 h' WHERE key = ANY ($1)"
    )
    await owner.execute(expired, keys[:3])
    pool = await create_pool(
        event_store_dsns.writer, application_name="test", size_max=1,
        statement_timeout_seconds=5, connect_timeout_seconds=5,
    )  # fmt: skip
    async with pool:
        await purge_of_keys(pool, 60, 2).turn()
        assert await owner.fetchval("SELECT count(*) FROM catalogue.idempotency_keys") == 2
        await purge_of_keys(pool, 60, 2).turn()
    assert [row[0] for row in await owner.fetch("SELECT key FROM catalogue.idempotency_keys")] == keys[3:]


async def test_one_command_that_cannot_be_stored_among_a_hundred_fails_alone(
    store: PostgresEventStore, owner: Connection
) -> None:
    appends = [creation(f"p{number}") for number in range(100)]
    appends[41] = creation("nul\0", "N-1")
    outcomes = await asyncio.gather(*map(store.append, appends), return_exceptions=True)
    assert isinstance(outcomes[41], asyncpg.CharacterNotInRepertoireError)
    assert [type(outcome) for place, outcome in enumerate(outcomes) if place != 41] == [Appended] * 99
    assert await owner.fetchval("SELECT count(*) FROM catalogue.events") == 99


async def test_one_command_that_cannot_even_be_sent_fails_alone(store: PostgresEventStore) -> None:
    half = replace(creation("half"), claims=frozenset([("s", "half \ud800")]))
    outcomes = await asyncio.gather(
        *map(store.append, [creation("x"), half, creation("y")]), return_exceptions=True
    )
    assert isinstance(outcomes[1], asyncpg.DataError)
    assert [type(outcomes[0]), type(outcomes[2])] == [Appended] * 2


async def test_a_refusal_burns_no_position(store: PostgresEventStore, owner: Connection) -> None:
    first = creation("shirt")
    await store.append(first)
    await store.append(change(first.product_id, at(4)))
    await store.append(creation("shirt", "S-1"))
    await store.append(no_op(first.product_id, at(1, 1), answer_under(uuid7())))
    assert await owner.fetchval("SELECT last_value FROM catalogue.event_position") == 1
    assert await store.append(creation("hat")) == Appended(1, 2)


TABLES = ("events", "events_p000000", "streams", "reservations", "idempotency_keys", "event_log")


async def test_a_lone_change_leaves_the_same_rows_as_one_in_company(
    writer: Connection, owner: Connection
) -> None:
    created = [creation(slug) for slug in ("alone", "together", "company")]
    await call_append(writer, created)
    alone, together, company = (
        change(one.product_id, at(1, place), answer=answer_under(uuid7(), body=b"b", status=200))
        for place, one in enumerate(created, 1)
    )
    assert await call_append(writer, [alone]) == [Appended(2, 4)]
    assert await call_append(writer, [together, company]) == [Appended(2, 5), Appended(2, 6)]
    left = [
        await owner.fetchrow(
            """
            SELECT stream.stream_version, position - stream.last_position, event.stream_version,
                   schema_version, event_type, data, event.recorded_at = key.created_at, key.stream_version,
                   key.last_position - position, fingerprint, status, body, position - first_position
            FROM catalogue.streams stream
            JOIN catalogue.events event USING (product_id)
            JOIN catalogue.idempotency_keys key USING (product_id)
            WHERE product_id = $1 AND event.stream_version = 2
            """,
            one.product_id,
        )
        for one in (alone, together)
    ]
    assert left[0] is not None
    assert left[0] == left[1]
    assert left[0][6] is True


async def test_a_lone_creation_leaves_the_same_rows_as_one_in_company(
    writer: Connection, owner: Connection
) -> None:
    alone, together, company = (
        creation(slug, f"S-{slug}", answer=answer_under(uuid7(), body=b"b"))
        for slug in ("alone", "together", "company")
    )
    assert await call_append(writer, [alone]) == [Appended(1, 1)]
    assert await call_append(writer, [together, company]) == [Appended(1, 2), Appended(1, 3)]
    left = [
        await owner.fetchrow(
            """
            SELECT stream.stream_version, stream.first_position - position, stream.last_position - position,
                   event.stream_version, schema_version, event_type, event.recorded_at = key.created_at,
                   key.stream_version, key.last_position - position, fingerprint, status, body,
                   (SELECT array_agg(kind::text || replace(value, $2, '') ORDER BY kind)
                    FROM catalogue.reservations held WHERE held.product_id = stream.product_id)
            FROM catalogue.streams stream
            JOIN catalogue.events event USING (product_id)
            JOIN catalogue.idempotency_keys key USING (product_id)
            WHERE product_id = $1
            """,
            one.product_id,
            slug,
        )
        for one, slug in ((alone, "alone"), (together, "together"))
    ]
    assert left[0] is not None
    assert left[0] == left[1]
    assert left[0][6] is True
    assert left[0][12] == ["kS-", "s"]


async def test_a_lone_change_is_refused_like_any_other(writer: Connection, owner: Connection) -> None:
    key, created = uuid7(), creation("shirt")
    await call_append(writer, [created])
    keyed = change(created.product_id, at(1, 1), answer=answer_under(key))
    assert await call_append(writer, [keyed]) == [Appended(2, 2)]
    assert await call_append(writer, [keyed]) == [DuplicateKey()]
    stale = change(created.product_id, at(1, 1), answer=answer_under(uuid7()))
    assert await call_append(writer, [stale]) == [VersionConflict(2)]
    assert await call_append(writer, [change(uuid7(), at(1, 1))]) == [VersionConflict(0)]
    assert await owner.fetchval("SELECT last_value FROM catalogue.event_position") == 2
    await owner.execute("UPDATE catalogue.idempotency_keys SET created_at = now() - interval '25 hours'")
    again = change(created.product_id, at(2, 2), answer=answer_under(key, body=b"new"))
    assert await call_append(writer, [again]) == [Appended(3, 3)]
    assert await owner.fetchval("SELECT body FROM catalogue.idempotency_keys") == b"new"


@pytest.mark.parametrize("table", TABLES)
async def test_no_service_role_can_change_the_log_but_through_its_function(
    event_store_dsns: DatabaseDsns, store: PostgresEventStore, owner: Connection, table: str
) -> None:
    await store.append(creation("shirt", answer=answer_under(uuid7())))
    assert await owner.fetchval(f"SELECT count(*) FROM catalogue.{table}") > 0
    for dsn in (event_store_dsns.writer, event_store_dsns.log_reader):
        connection: Connection = await asyncpg.connect(dsn)
        try:
            for statement in (
                f"INSERT INTO catalogue.{table} SELECT * FROM catalogue.{table}",
                f"UPDATE catalogue.{table} SET {await _first_column(connection, table)} = DEFAULT",
                f"DELETE FROM catalogue.{table}",
                f"TRUNCATE catalogue.{table} CASCADE",
                f"DROP TABLE catalogue.{table}",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(statement)
        finally:
            await connection.close()


async def _first_column(connection: Connection, table: str) -> str:
    return str(
        await connection.fetchval(
            "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum = 1",
            f"catalogue.{table}",
        )
    )


async def test_a_reader_can_neither_append_nor_draw_a_position(event_store_dsns: DatabaseDsns) -> None:
    connection: Connection = await asyncpg.connect(event_store_dsns.log_reader)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await call_append(connection, [creation("shirt")])
        for statement in (
            "SELECT nextval('catalogue.event_position')",
            "SELECT catalogue.ensure_partitions(1)",
            "SELECT catalogue.purge_idempotency_keys(1)",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


async def test_a_full_queue_refuses_at_once_and_serves_again_when_there_is_room(
    event_store_dsns: DatabaseDsns, owner: Connection
) -> None:
    store = await open_store(
        event_store_dsns.writer, GroupCommitLimits(queue_commands_max=2, queue_seconds_max=PATIENCE_SECONDS)
    )
    async with owner.transaction():
        await owner.execute(load_sql("command_api.postgres", "take_append_lock"))
        first = asyncio.create_task(store.append(creation("a")))
        await waits_for_the_append_lock(owner)
        waiting = [asyncio.create_task(store.append(creation(slug))) for slug in "bc"]
        await eventually(lambda: _equal(store.queued_commands, 2))
        with pytest.raises(StoreOverloaded):
            await store.append(creation("d"))
    assert [type(await each) for each in (first, *waiting)] == [Appended] * 3
    assert await store.append(creation("d")) == Appended(1, 4)
    await store.close()


async def test_a_queue_that_is_full_by_bytes_refuses_too(
    event_store_dsns: DatabaseDsns, owner: Connection
) -> None:
    store = await open_store(event_store_dsns.writer, GroupCommitLimits(queue_bytes_max=100))
    with pytest.raises(StoreOverloaded):
        await store.append(creation("a" * 200))
    await store.close()


async def test_a_command_that_waits_too_long_is_refused_and_certainly_not_written(
    event_store_dsns: DatabaseDsns, owner: Connection
) -> None:
    store = await open_store(event_store_dsns.writer, GroupCommitLimits(queue_seconds_max=0.05))
    calls = counted("event_append_total")
    async with owner.transaction():
        await owner.execute(load_sql("command_api.postgres", "take_append_lock"))
        in_the_call = asyncio.create_task(store.append(creation("a")))
        await waits_for_the_append_lock(owner)
        for slug in "bc":
            with pytest.raises(StoreOverloaded):
                await store.append(creation(slug))
        assert store.queued_commands == 0
        assert counted("event_append_total") == calls, "a command that was in no call has no outcome of one"
    assert isinstance(await in_the_call, Appended)
    assert await store.append(creation("b")) == Appended(1, 2)
    await store.close()
    assert await owner.fetchval("SELECT count(*) FROM catalogue.events") == 2


async def test_what_a_command_has_waited_before_counts_in_the_queue(
    event_store_dsns: DatabaseDsns, owner: Connection
) -> None:
    store = await open_store(event_store_dsns.writer, GroupCommitLimits(queue_seconds_max=PATIENCE_SECONDS))
    with pytest.raises(StoreOverloaded):
        await store.append(replace(creation("a"), waited_seconds=PATIENCE_SECONDS + 1))
    async with owner.transaction():
        await owner.execute(load_sql("command_api.postgres", "take_append_lock"))
        in_the_call = asyncio.create_task(store.append(creation("b")))
        await waits_for_the_append_lock(owner)
        with pytest.raises(StoreOverloaded):
            await store.append(replace(creation("c"), waited_seconds=PATIENCE_SECONDS - 0.01))
    assert isinstance(await in_the_call, Appended)
    await store.close()
    assert await owner.fetchval("SELECT count(*) FROM catalogue.events") == 1


async def test_a_command_that_was_refused_because_it_waited_is_not_shown_as_waiting(
    event_store_dsns: DatabaseDsns, owner: Connection
) -> None:
    store = await open_store(event_store_dsns.writer, GroupCommitLimits(queue_seconds_max=0.05))
    async with owner.transaction():
        await owner.execute(load_sql("command_api.postgres", "take_append_lock"))
        in_the_call = asyncio.create_task(store.append(creation("a")))
        await waits_for_the_append_lock(owner)
        with pytest.raises(StoreOverloaded):
            await store.append(creation("b"))
        assert store.queued_commands == 0
        assert counted("event_append_waiting_commands") == 0
        assert counted("event_append_waiting_oldest_seconds") == 0
    assert isinstance(await in_the_call, Appended)
    await store.close()


async def test_without_a_connection_a_call_waits_for_one_and_not_for_a_server_process_from_before(
    event_store_dsns: DatabaseDsns,
) -> None:
    writer = WriterConnection(
        event_store_dsns.writer, connect_timeout_seconds=30, call_timeout_seconds=30, recovery_seconds_max=30
    )
    assert await writer.what_it_waits_for() == "a connection to PostgreSQL"
    connection = await writer.get()
    assert await writer.what_it_waits_for() != "a connection to PostgreSQL"
    connection.terminate()
    assert await writer.what_it_waits_for() == "a connection to PostgreSQL"
    await writer.get()
    writer.drop()
    assert await writer.what_it_waits_for() == "a connection to PostgreSQL"


async def test_a_command_behind_more_calls_than_fit_into_its_wait_is_refused_at_once(
    event_store_dsns: DatabaseDsns, owner: Connection
) -> None:
    """The first call takes a moment, and one command is a call: so any wait behind two calls is too long."""
    limits = GroupCommitLimits(batch_commands_max=1, queue_seconds_max=PATIENCE_SECONDS)
    store = await open_store(event_store_dsns.writer, limits)
    store._commits._wait.note_call(PATIENCE_SECONDS * 10)
    async with owner.transaction():
        await owner.execute(load_sql("command_api.postgres", "take_append_lock"))
        in_the_call = asyncio.create_task(store.append(creation("a")))
        await waits_for_the_append_lock(owner)
        next_one = asyncio.create_task(store.append(creation("b")))
        await eventually(lambda: _equal(store.queued_commands, 1))
        with pytest.raises(StoreOverloaded):
            await store.append(creation("c"))
    assert [type(await each) for each in (in_the_call, next_one)] == [Appended] * 2
    await store.close()


async def test_a_caller_who_hangs_up_cancels_nobodys_write_not_even_its_own(
    event_store_dsns: DatabaseDsns, store: PostgresEventStore, owner: Connection
) -> None:
    async with owner.transaction():
        await owner.execute(load_sql("command_api.postgres", "take_append_lock"))
        blocking = asyncio.create_task(store.append(creation("a")))
        await waits_for_the_append_lock(owner)
        riding = [asyncio.create_task(store.append(creation(slug))) for slug in "bcd"]
        await eventually(lambda: _equal(store.queued_commands, 3))
        for task in (blocking, riding[1]):
            task.cancel()
    outcomes = await asyncio.gather(blocking, *riding, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [
        asyncio.CancelledError, Appended, asyncio.CancelledError, Appended,
    ]  # fmt: skip
    assert await owner.fetchval("SELECT count(*) FROM catalogue.events") == 4


async def test_closing_the_store_writes_what_is_queued_first(
    event_store_dsns: DatabaseDsns, owner: Connection
) -> None:
    store = await open_store(event_store_dsns.writer)
    tasks = [asyncio.create_task(store.append(creation(f"p{number}"))) for number in range(600)]
    await eventually(lambda: _at_least(store.queued_commands, 1))
    await store.close()
    assert {type(await task) for task in tasks} == {Appended}
    assert await owner.fetchval("SELECT count(*) FROM catalogue.events") == 600


async def test_a_load_does_not_join_a_query_that_began_before_it(store: PostgresEventStore) -> None:
    append = creation("shirt")
    await store.append(append)
    for version in range(1, 30):
        early = asyncio.create_task(store.load(append.product_id))
        await store.append(change(append.product_id, at(version, version)))
        assert (await store.load(append.product_id)).stream_version == version + 1
        assert (await early).stream_version in (version, version + 1)


def _equal(one: object, other: object) -> None:
    assert one == other


def _at_least(one: int, other: int) -> None:
    assert one >= other


@pytest_asyncio.fixture
async def small_partitions(owner: Connection) -> Connection:
    """A log of ten positions a partition."""
    for (name,) in await owner.fetch(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'catalogue.events'::regclass"
    ):
        await owner.execute(f"DROP TABLE {name}")
    await owner.execute("UPDATE catalogue.event_log SET partition_positions = 10")
    assert await owner.fetchval("SELECT catalogue.ensure_partitions()") == 3
    return owner


async def test_two_partitions_stand_ahead_and_making_them_again_makes_none(
    small_partitions: Connection,
) -> None:
    assert await small_partitions.fetchval("SELECT catalogue.partitions_ahead()") == 2
    assert await small_partitions.fetchval("SELECT catalogue.ensure_partitions()") == 0


async def test_one_append_may_cross_the_border_of_a_partition(
    small_partitions: Connection, store: PostgresEventStore
) -> None:
    append = creation("shirt")
    await store.append(append)
    events = [e.ProductDetailsChanged(name=str(number)) for number in range(14)]
    assert await store.append(change(append.product_id, at(1, 1), *events)) == Appended(15, 15)
    assert list((await store.load(append.product_id)).events[1:]) == events
    counts = "SELECT tableoid::regclass::text, count(*) FROM catalogue.events GROUP BY 1 ORDER BY 1"
    assert [tuple(row) for row in await small_partitions.fetch(counts)] == [
        ("catalogue.events_p000000", 9),
        ("catalogue.events_p000001", 6),
    ]
    assert await small_partitions.fetchval("SELECT catalogue.partitions_ahead()") == 1
    assert await small_partitions.fetchval("SELECT catalogue.ensure_partitions()") == 1
    assert await small_partitions.fetchval("SELECT catalogue.partitions_ahead()") == 2


async def test_appends_go_on_while_partitions_are_made(
    small_partitions: Connection, store: PostgresEventStore
) -> None:
    async with small_partitions.transaction():
        await small_partitions.execute("SELECT catalogue.ensure_partitions(30)")
        assert await store.append(creation("shirt")) == Appended(1, 1)
        assert (await store.find_holder(("s", "shirt"))) is not None


async def test_a_log_without_room_refuses_loudly_and_goes_on_once_it_has_some(
    small_partitions: Connection, store: PostgresEventStore
) -> None:
    await small_partitions.execute("SELECT setval('catalogue.event_position', 29)")
    with pytest.raises(StoreUnavailable, match="no room"):
        await store.append(creation("shirt"))
    assert await store.find_holder(("s", "shirt")) is None
    await small_partitions.execute("SELECT catalogue.ensure_partitions()")
    assert isinstance(await store.append(creation("shirt")), Appended)


@pytest.mark.parametrize(
    ("package", "statement", "arguments"),
    [
        ("command_api.postgres", "load_streams", ([0], [0])),
        ("projector.applying", "select_events_after", ([0],)),
    ],
    ids=["load", "what a projector lacks"],
)
async def test_only_the_partitions_that_can_hold_a_product_are_read_for_it(
    small_partitions: Connection,
    store: PostgresEventStore,
    package: str,
    statement: str,
    arguments: tuple[list[int], ...],
) -> None:
    await small_partitions.execute("SELECT catalogue.ensure_partitions(5)")
    for number in range(25):
        await store.append(creation(f"early{number}"))
    late = creation("late")
    await store.append(late)
    scans = (
        "SELECT relname, coalesce(seq_scan, 0) + coalesce(idx_scan, 0) AS scans "
        "FROM pg_stat_xact_user_tables WHERE relname LIKE 'events_p%'"
    )
    async with small_partitions.transaction():
        before = {row["relname"]: row["scans"] for row in await small_partitions.fetch(scans)}
        sql = load_sql(package, statement)
        assert len(await small_partitions.fetch(sql, [late.product_id], *arguments)) == 1
        after = {row["relname"]: row["scans"] for row in await small_partitions.fetch(scans)}
    read = [name for name, count in after.items() if count > before.get(name, 0)]
    assert len(after) >= 3
    assert read == ["events_p000002"]
