"""Snapshots of the catalogue: one suite for PostgreSQL and for the fake; then the use case, on the fake."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import asyncpg
import pytest
import pytest_asyncio

from query_api.applied import Applied
from query_api.consistency.visibility import Visibility
from query_api.errors import Overloaded, ReadModelBehind
from query_api.export.export import ExportCatalogue, TooSlow
from query_api.export.ports import Snapshots
from query_api.export.postgres.snapshots import PostgresSnapshots
from shared.contract.views import ProductDocument, encode_document
from tests.in_memory.catalogue_snapshots import InMemorySnapshots
from tests.integration.query_world import LOG_ID, TOPIC, World, product, shared_installation, world

__all__ = ["shared_installation", "world"]

PARTITIONS = 2
ACTIVE = ("active",)


@dataclass
class Subject:
    """An adapter, and hands on what it reads."""

    snapshots: Snapshots
    store: Callable[[ProductDocument], Awaitable[None]]
    pass_checkpoint: Callable[[int, int], Awaitable[None]]
    park: Callable[[int], Awaitable[None]]


def _in_memory() -> Subject:
    fake = InMemorySnapshots(PARTITIONS)

    async def store(document: ProductDocument) -> None:
        fake.documents[str(document.id)] = document

    async def pass_checkpoint(partition: int, position: int) -> None:
        fake.positions[partition] = position

    async def park(position: int) -> None:
        fake.parked_positions.append(position)

    return Subject(fake, store, pass_checkpoint, park)


def _on_postgres(world: World, pool: "asyncpg.Pool[asyncpg.Record]") -> Subject:
    async def store(document: ProductDocument) -> None:
        await world.store(document)

    async def pass_checkpoint(partition: int, position: int) -> None:
        await world.database.execute(
            "INSERT INTO views.projection_checkpoint VALUES ('product_view', $1, $2, 1, $3, $4)",
            TOPIC, partition, position, LOG_ID,
        )  # fmt: skip

    async def park(position: int) -> None:
        await world.database.execute(
            "INSERT INTO views.parked_event (projection, product_id, topic, partition, record_offset, "
            "record_timestamp, header_names, header_values, log_position, error_class, cause) "
            "VALUES ('product_view', $1, $2, 0, $3::bigint, 0, '{}', '{}', $3::bigint, 'decode', 'broken')",
            product().id, TOPIC, position,
        )  # fmt: skip

    snapshots = PostgresSnapshots(pool, topic=TOPIC, partition_count=PARTITIONS, seconds_max=60)
    return Subject(snapshots, store, pass_checkpoint, park)


@pytest_asyncio.fixture(params=["PostgreSQL", "in memory"])
async def subject(request: pytest.FixtureRequest, world: World) -> AsyncIterator[Subject]:
    if request.param == "in memory":
        yield _in_memory()
    else:
        yield _on_postgres(world, world.api.products)


async def _documents(snapshots: Snapshots, statuses: tuple[str, ...] = ACTIVE) -> list[bytes]:
    pieces: list[bytes] = []

    async def take(piece: bytes) -> None:
        assert piece.endswith(b"\n")
        pieces.append(piece)

    async with snapshots.open(statuses) as snapshot:
        await snapshot.send_documents(take)
        lines = b"".join(pieces).splitlines()
        assert len(lines) == snapshot.product_count
    return lines


async def test_the_documents_of_the_statuses_come_in_the_order_of_the_ids(subject: Subject) -> None:
    documents = [product(status=status) for status in ("active", "draft", "archived", "active", "active")]
    for one in documents:
        await subject.store(one)
    for statuses in (ACTIVE, ("archived", "draft"), ("active", "archived", "draft")):
        wanted = sorted((one for one in documents if one.status in statuses), key=lambda one: one.id)
        assert await _documents(subject.snapshots, statuses) == [encode_document(one) for one in wanted]


async def test_what_is_stored_after_the_opening_is_not_in_it(subject: Subject) -> None:
    await subject.store(product())
    pieces: list[bytes] = []

    async def take(piece: bytes) -> None:
        pieces.append(piece)

    async with subject.snapshots.open(ACTIVE) as snapshot:
        await subject.store(product())
        await snapshot.send_documents(take)
    assert len(b"".join(pieces).splitlines()) == snapshot.product_count == 1


async def test_the_position_is_the_smallest_of_all_partitions_and_before_what_is_parked(
    subject: Subject,
) -> None:
    async def position() -> int:
        async with subject.snapshots.open(ACTIVE) as snapshot:
            return snapshot.log_position

    await subject.pass_checkpoint(0, 9)
    assert await position() == 0
    await subject.pass_checkpoint(1, 7)
    assert await position() == 7
    await subject.park(5)
    assert await position() == 4


async def test_a_snapshot_that_lacks_the_write_is_refused(subject: Subject) -> None:
    await subject.pass_checkpoint(0, 9)
    async with subject.snapshots.open(ACTIVE, Applied("product_view", TOPIC, {0: 9})):
        pass
    with pytest.raises(ReadModelBehind):
        async with subject.snapshots.open(ACTIVE, Applied("product_view", TOPIC, {0: 10})):
            pass


class _NoCheckpoints:
    async def positions(self) -> dict[int, int]:
        return {}

    def applied(self, positions: object) -> Applied:
        raise NotImplementedError


def _use_case(fake: InMemorySnapshots, seconds_max: float = 60.0) -> ExportCatalogue:
    visibility = Visibility(_NoCheckpoints(), waiters_max=1)
    return ExportCatalogue(fake, visibility, exports_max=2, seconds_max=seconds_max)


async def test_only_so_many_exports_run_at_one_time() -> None:
    fake = InMemorySnapshots()
    exports = _use_case(fake)
    async with exports.begin(ACTIVE), exports.begin(ACTIVE):
        with pytest.raises(Overloaded):
            async with exports.begin(ACTIVE):
                pass
        assert fake.opened == 2
    async with exports.begin(ACTIVE):
        assert (fake.opened, exports.running) == (1, 1)


async def test_a_sink_that_takes_nothing_ends_the_export() -> None:
    one = product()
    exports = _use_case(InMemorySnapshots(documents={str(one.id): one}), seconds_max=0.01)

    async def never(_: bytes) -> None:
        await asyncio.Event().wait()

    async with exports.begin(ACTIVE) as snapshot:
        with pytest.raises(TooSlow):
            await exports.send(snapshot, never)
