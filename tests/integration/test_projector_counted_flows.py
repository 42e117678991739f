"""Events through Kafka into the views that count, each by its own consumer group."""

from typing import Any

import pytest
from prometheus_client import REGISTRY

from shared.contract import events as e
from tests.eventually import eventually
from tests.integration.projector_world import World, world
from tests.unit.projector.histories import created, history, new_product_id, priced

__all__ = ["world"]
pytestmark = pytest.mark.servers


async def fetched(world: World, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await world.views.fetch(sql)]


async def shows(world: World, sql: str, wanted: list[tuple[Any, ...]]) -> None:
    assert await fetched(world, sql) == wanted


async def test_a_published_product_counts_in_its_category_and_above_until_it_is_deleted(
    world: World,
) -> None:
    sql = "SELECT path, active, subtree_active FROM views.category_view_category ORDER BY path"
    events = history(new_product_id(), created(), e.ProductPublished(), priced("2.00"), e.ProductDeleted())
    async with world.projecting("category_view"):
        await world.happen(events[:3])
        await eventually(lambda: shows(world, sql, [("apparel", 0, 1), ("apparel/shirts", 1, 1)]))
        await world.publish(events[:3])
        await world.happen(events[3:])
        await eventually(lambda: shows(world, sql, []))


async def test_a_sku_that_moves_to_a_product_in_another_partition_ends_open(world: World) -> None:
    sql = "SELECT product_id, state FROM views.stock_item WHERE sku = 'S-1'"
    releasing = [
        history(new_product_id(), created(), e.ProductDeleted(), first_position=1 + 3 * n) for n in range(5)
    ]
    claiming = history(new_product_id(), created(), first_position=100)
    async with world.projecting("inventory"):
        await world.happen(claiming)
        await eventually(lambda: shows(world, sql, [(claiming[0].product_id, "open")]))
        for events in releasing:
            await world.happen(events)
        await eventually(lambda: _has_seen(world, len(releasing)))
        await shows(world, sql, [(claiming[0].product_id, "open")])


async def _has_seen(world: World, deletions: int) -> None:
    assert (
        await world.views.fetchval("SELECT count(*) FROM views.inventory_product WHERE is_deleted")
        == deletions
    )


async def test_changes_are_counted_once_over_a_restart_and_a_second_delivery(world: World) -> None:
    sql = "SELECT products_created, price_changes, price_increases FROM views.analytics_change"
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"))
    async with world.projecting("analytics"):
        await world.happen(events[:2])
        await eventually(lambda: shows(world, sql, [(1, 1, 1)]))
    await world.publish(events[:2])
    async with world.projecting("analytics"):
        await world.happen(events[2:])
        await eventually(lambda: shows(world, sql, [(1, 2, 2)]))


async def test_what_no_reader_waits_for_is_gathered_into_one_batch_but_the_first_event_after_a_pause(
    world: World,
) -> None:
    first, small = (history(new_product_id(), created()) for _ in range(2))
    big = history(new_product_id(), created("x" * 20_000))
    names = ("inventory", "product_view")
    sql = "SELECT count(*)::int FROM views.inventory_product"
    before = _inventory_batches()
    async with world.projecting(*names, gather_bytes_min=10_000, gather_milliseconds_max=30_000):
        await world.happen(first)
        await eventually(lambda: shows(world, sql, [(1,)]))
        await world.happen(small)
        await eventually(lambda: world.table_shows(small[0].product_id, 1))
        await shows(world, sql, [(1,)])
        await world.happen(big)
        await eventually(lambda: shows(world, sql, [(3,)]))
    assert _inventory_batches() == before + 2


def _inventory_batches() -> float:
    return REGISTRY.get_sample_value("projection_batch_seconds_count", {"projection": "inventory"}) or 0
