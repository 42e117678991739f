"""`verify` while partitions of the log leave and come back: what left meanwhile is no difference."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from command_api.archive.app import Order, archive_log, restore_log
from command_api.archive.postgres.partitions import opened_partitions
from projector.rebuild import verify as verification
from projector.rebuild.postgres.log_scan import PostgresLogScan
from shared.contract import events as e
from shared.ops.secret import Secret
from tests.eventually import eventually
from tests.integration.projector_world import World, world
from tests.integration.rebuild_world import Writer, verify, writer
from tests.integration.small_partitions import SMALL_PARTITIONS
from tests.servers import DatabaseDsns
from tests.unit.projector.histories import created, priced

__all__ = ["world", "writer"]
pytestmark = pytest.mark.servers
VIEWS = ("product_view", "analytics")


class Archive:
    """Of a log whose first partition has the products `gone` alone; four living ones follow."""

    def __init__(self, dsn: str, folder: Path, gone: set[UUID]) -> None:
        self.gone = gone
        self._dsn = Secret(dsn)
        self._folder = folder

    async def remove(self) -> None:
        async with opened_partitions(self._dsn, 30.0) as partitions:
            done = await archive_log(partitions, Order(self._folder, True, timedelta(0)), print)
        assert done.removed == 1

    async def restore(self) -> None:
        async with opened_partitions(self._dsn, 30.0) as partitions:
            assert await restore_log(partitions, self._folder, [], print) == 1


@pytest.fixture
async def archive(
    world: World, writer: Writer, event_store_dsns: DatabaseDsns, tmp_path: Path
) -> AsyncIterator[Archive]:
    await world.store.execute(SMALL_PARTITIONS)
    async with world.projecting(*VIEWS):
        gone = [
            await writer.happen(created(slug=f"gone-{number}"), priced("2.00"), e.ProductDeleted())
            for number in range(3)
        ]
        for number in range(4):
            await writer.happen(created(slug=f"living-{number}"), priced("3.00"), e.ProductPublished())
        await eventually(writer.all_shown)
        await world.store.execute("SELECT setval('catalogue.event_position', $1)", writer.position)
        yield Archive(event_store_dsns.owner, tmp_path, {stream[0].product_id for stream in gone})


def before_the_first_read_of(
    monkeypatch: pytest.MonkeyPatch, products: Collection[UUID], happen: Callable[[], Awaitable[None]]
) -> None:
    """`happen` comes after `verify` has read the versions of one of these, and before their events."""
    read, happened = PostgresLogScan.stream_rows, []

    async def read_after(scan: PostgresLogScan, product_ids: Collection[UUID]) -> Any:
        if not happened and set(products) & set(product_ids):
            happened.append(product_ids)
            await happen()
        return await read(scan, product_ids)

    monkeypatch.setattr(PostgresLogScan, "stream_rows", read_after)


@pytest.mark.parametrize("sample", [(), ("--sample", "7")], ids=["all", "sample"])
async def test_products_that_leave_between_two_reads_are_no_difference(
    world: World, archive: Archive, monkeypatch: pytest.MonkeyPatch, sample: tuple[str, ...]
) -> None:
    before_the_first_read_of(monkeypatch, archive.gone, archive.remove)
    found = (await verify(world, "product_view", *sample))["product_view"]
    assert (found["different"], found["products"]) == (0, 4)


async def test_a_fault_of_a_product_that_stays_is_told_while_others_leave(
    world: World, writer: Writer, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    lives = writer.streams[-1][0].product_id
    await world.store.execute(
        "DELETE FROM catalogue.events WHERE product_id = $1 AND stream_version = 2", lives
    )
    before_the_first_read_of(monkeypatch, archive.gone, archive.remove)
    found = (await verify(world, "product_view", code=4))["product_view"]
    assert found["different"] == 1
    assert found["differences"] == [f"{lives}: its versions in the log are 1, 3"]


async def test_shared_rows_are_not_compared_without_products_that_came_back_too_late(
    world: World, writer: Writer, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    await archive.remove()
    monkeypatch.setattr(verification, "PRODUCTS_AT_A_TIME", 1)
    before_the_first_read_of(monkeypatch, {writer.streams[-1][0].product_id}, archive.restore)
    found = (await verify(world, "analytics"))["analytics"]
    assert found["different"] == 0
    assert "restore-log events_p000000" in found["left_out"]
    again = (await verify(world, "analytics"))["analytics"]
    assert (again["different"], again["products"], again["left_out"]) == (0, 7, None)
