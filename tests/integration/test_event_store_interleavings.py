"""Two connections and an order of steps by hand: the schedules by which other stores lost events."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from uuid_utils.compat import uuid7

from command_api.executing.ports import Append, Appended, DuplicateKey, ReservationTaken, VersionConflict
from command_api.postgres.append_call import call_append
from command_api.postgres.group_commit import GroupCommitLimits
from shared.contract import events as e
from tests.integration.event_store_world import (
    PATIENCE_SECONDS,
    Connection,
    open_store,
    streams_that_lie,
    waits_for_the_append_lock,
)
from tests.servers import DatabaseDsns
from tests.unit.execute.appends import answer_under, at, change, creation

pytestmark = pytest.mark.servers
TAIL = "SELECT position FROM catalogue.events WHERE position > $1 ORDER BY position"


class Cast:
    """Two writers in transactions of their own, a tailing reader, and the owner who looks on."""

    def __init__(self, one: Connection, two: Connection, tailer: Connection, owner: Connection) -> None:
        self.one, self.two, self.tailer, self.owner = one, two, tailer, owner

    async def tail(self, position: int = 0) -> list[int]:
        return [row[0] for row in await self.tailer.fetch(TAIL, position)]


@pytest_asyncio.fixture
async def cast(event_store_dsns: DatabaseDsns) -> AsyncIterator[Cast]:
    dsns = (
        event_store_dsns.writer,
        event_store_dsns.writer,
        event_store_dsns.log_reader,
        event_store_dsns.owner,
    )
    connections: list[Connection] = [await asyncpg.connect(dsn) for dsn in dsns]
    yield Cast(*connections)
    for connection in connections:
        await connection.close(timeout=5)


async def test_a_second_append_waits_for_the_first_and_no_tailer_sees_a_position_before_its_predecessor(
    cast: Cast,
) -> None:
    transaction = cast.one.transaction()
    await transaction.start()
    assert await call_append(cast.one, [creation("a"), creation("b")]) == [Appended(1, 1), Appended(1, 2)]
    second = asyncio.create_task(call_append(cast.two, [creation("c")]))
    await waits_for_the_append_lock(cast.owner)
    assert await cast.tail() == []
    await transaction.commit()
    assert await second == [Appended(1, 3)]
    assert await cast.tail() == [1, 2, 3]


async def test_an_append_that_waited_sees_what_the_first_one_wrote(cast: Cast) -> None:
    """READ COMMITTED and VOLATILE: a snapshot from before the wait would let both write version 2."""
    shirt = creation("shirt")
    await call_append(cast.owner, [shirt])
    key = uuid7()
    transaction = cast.one.transaction()
    await transaction.start()
    first = change(shirt.product_id, at(1, 1), claims=[("s", "sea")], answer=answer_under(key))
    await call_append(cast.one, [first])
    batch = [
        change(shirt.product_id, at(1, 1)),
        creation("sea", "S-9"),
        creation("x", answer=answer_under(key)),
    ]
    second = asyncio.create_task(call_append(cast.two, batch))
    await waits_for_the_append_lock(cast.owner)
    await transaction.commit()
    assert await second == [VersionConflict(2), ReservationTaken(("s", "sea")), DuplicateKey()]


@pytest.mark.parametrize("refusal", ["version", "slug", "key", "exists"])
async def test_a_lone_append_that_waited_sees_what_the_first_one_wrote(cast: Cast, refusal: str) -> None:
    """The function for one event takes the same lock, and looks after it."""
    shirt, key = creation("shirt"), uuid7()
    await call_append(cast.owner, [shirt])
    transaction = cast.one.transaction()
    await transaction.start()
    coat = creation("coat", "S-8")
    await call_append(cast.one, [coat])
    await call_append(
        cast.one, [change(shirt.product_id, at(1, 1), claims=[("s", "sea")], answer=answer_under(key))]
    )
    waiting, outcome = {
        "version": (change(shirt.product_id, at(1, 1)), VersionConflict(2)),
        "slug": (creation("sea", "S-9"), ReservationTaken(("s", "sea"))),
        "key": (creation("x", answer=answer_under(key)), DuplicateKey()),
        "exists": (replace(coat, claims=frozenset([("s", "raincoat")])), VersionConflict(1)),
    }[refusal]
    second = asyncio.create_task(call_append(cast.two, [waiting]))
    await waits_for_the_append_lock(cast.owner)
    await transaction.commit()
    assert await second == [outcome]
    assert await cast.tail() == [1, 2, 3]
    assert await cast.owner.fetchval("SELECT last_value FROM catalogue.event_position") == 3


async def test_a_rolled_back_append_frees_the_lock_and_leaves_nothing_to_conflict_with(cast: Cast) -> None:
    shirt = creation("shirt")
    await call_append(cast.owner, [shirt])
    transaction = cast.one.transaction()
    await transaction.start()
    await call_append(cast.one, [change(shirt.product_id, at(1, 1))])
    second = asyncio.create_task(call_append(cast.two, [change(shirt.product_id, at(1, 1))]))
    await waits_for_the_append_lock(cast.owner)
    await transaction.rollback()
    (outcome,) = await second
    assert isinstance(outcome, Appended)
    assert outcome.stream_version == 2
    assert await cast.tail() == [1, outcome.last_position]


async def test_a_refused_call_burns_no_positions(cast: Cast) -> None:
    shirt = creation("shirt")
    await call_append(cast.one, [shirt])
    for _ in range(3):
        refused = [change(shirt.product_id, at(5)), creation("shirt", "S-2")]
        outcomes = await call_append(cast.two, refused)
        assert outcomes == [VersionConflict(1), ReservationTaken(("s", "shirt"))]
    assert await call_append(cast.one, [creation("hat")]) == [Appended(1, 2)]


async def test_a_version_can_stand_in_the_log_only_once_even_if_the_stream_row_were_wrong(cast: Cast) -> None:
    shirt = creation("shirt")
    await call_append(cast.one, [shirt, creation("hat")])
    await call_append(cast.one, [change(shirt.product_id, at(1, 1))])
    await cast.owner.execute("UPDATE catalogue.streams SET stream_version = 1")
    with pytest.raises(asyncpg.UniqueViolationError):
        await call_append(cast.two, [change(shirt.product_id, at(1, 1))])
    assert await cast.tail() == [1, 2, 3]


async def test_a_stream_row_that_is_missing_is_a_conflict_and_never_a_silent_success(cast: Cast) -> None:
    assert await call_append(cast.one, [change(uuid7(), at(3, 3))]) == [VersionConflict(0)]
    assert await cast.tail() == []


async def test_making_partitions_waits_for_no_append_and_no_append_for_it(cast: Cast) -> None:
    making = cast.one.transaction()
    await making.start()
    await cast.one.execute("SELECT catalogue.ensure_partitions(4)")
    assert await call_append(cast.two, [creation("shirt")]) == [Appended(1, 1)]
    await making.commit()
    appending = cast.one.transaction()
    await appending.start()
    await call_append(cast.one, [creation("hat")])
    assert await cast.two.fetchval("SELECT catalogue.ensure_partitions(6)") == 2
    await appending.commit()


class _Tailer:
    """Follows the log as the relay does, while others write."""

    def __init__(self) -> None:
        self.positions: list[int] = []
        self.streams: dict[UUID, list[int]] = {}

    async def follow(self, dsn: str, done: asyncio.Event) -> None:
        connection: Connection = await asyncpg.connect(dsn)
        sql = (
            "SELECT position, product_id, stream_version FROM catalogue.events "
            "WHERE position > $1 ORDER BY position LIMIT 50"
        )
        try:
            while True:
                is_last_turn = done.is_set()
                rows = await connection.fetch(sql, self.positions[-1] if self.positions else 0)
                for position, product_id, stream_version in rows:
                    self.positions.append(position)
                    self.streams.setdefault(product_id, []).append(stream_version)
                if is_last_turn and not rows:
                    return
        finally:
            await connection.close()


async def _write_at_random(dsn: str, seed: int, shared: list[UUID]) -> list[tuple[Append, Appended]]:
    """Create products, change the shared ones of all writers; answers what was acknowledged."""
    store = await open_store(dsn, GroupCommitLimits(batch_commands_max=7, queue_seconds_max=PATIENCE_SECONDS))
    dice = random.Random(seed)
    acknowledged: list[tuple[Append, Appended]] = []

    async def once(number: int) -> None:
        if dice.random() < 0.4:
            append = creation(f"p{seed}-{number}", answer=answer_under(uuid7()))
        else:
            product_id = dice.choice(shared)
            stream = await store.load(product_id)
            names = [e.ProductDetailsChanged(name=str(dice.random())) for _ in range(dice.randint(1, 3))]
            append = change(product_id, stream, *names, answer=answer_under(uuid7()))
        outcome = await store.append(append)
        if isinstance(outcome, Appended):
            acknowledged.append((append, outcome))
        else:
            assert isinstance(outcome, VersionConflict)

    for turn in range(6):
        await asyncio.gather(*(once(turn * 10 + number) for number in range(10)))
    await store.close()
    return acknowledged


async def test_eight_writers_leave_a_log_without_holes_in_which_everything_acknowledged_stands_once(
    event_store_dsns: DatabaseDsns, cast: Cast
) -> None:
    shared = [creation(f"shared{number}") for number in range(4)]
    await call_append(cast.one, shared)
    done, tailer = asyncio.Event(), _Tailer()
    following = asyncio.create_task(tailer.follow(event_store_dsns.log_reader, done))
    ids = [append.product_id for append in shared]
    writes = await asyncio.gather(*(_write_at_random(event_store_dsns.writer, n, ids) for n in range(8)))
    done.set()
    await following
    rows = await cast.owner.fetch("SELECT position, metadata FROM catalogue.events ORDER BY position")
    assert tailer.positions == [row["position"] for row in rows] == list(range(1, len(rows) + 1))
    assert all(versions == list(range(1, len(versions) + 1)) for versions in tailer.streams.values())
    assert await streams_that_lie(cast.owner) == []
    stored: dict[Any, int] = {row["metadata"]: row["position"] for row in rows}
    assert len(stored) == len(rows)
    acknowledged = [write for each in writes for write in each]
    for append, outcome in acknowledged:
        assert stored[append.events[-1].metadata] == outcome.last_position
    assert len(rows) == len(shared) + sum(len(append.events) for append, _ in acknowledged)
    keys = await cast.owner.fetchval("SELECT count(*) FROM catalogue.idempotency_keys")
    assert keys == len(acknowledged)
