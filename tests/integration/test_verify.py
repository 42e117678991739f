"""`verify` says that views are what the log says, and says it of nothing else."""

from typing import Any

import pytest

from projector.rebuild.verify import stream_faults
from shared.contract.addresses import product_key
from shared.contract.cached_document import pack
from tests.eventually import eventually
from tests.integration.projector_commands import command, poison
from tests.integration.projector_world import World, world
from tests.integration.rebuild_world import Writer, all_cached, parked_products, some_products, verify, writer
from tests.unit.projector.histories import created, history, new_product_id, priced

__all__ = ["world", "writer"]
pytestmark = pytest.mark.servers
VIEWS = ("product_view", "product_cache")


async def test_views_that_are_what_the_log_says_differ_in_nothing(world: World, writer: Writer) -> None:
    async with world.projecting(*VIEWS):
        await some_products(writer)
        await eventually(writer.all_shown)
        await eventually(lambda: all_cached(world, writer))
        found = await verify(world, *VIEWS)
        assert {name: (one["products"], one["events"], one["different"]) for name, one in found.items()} == {
            "product_view": (31, 92, 0),
            "product_cache": (31, 92, 0),
        }
        sampled = await verify(world, "product_view", "--sample", "7")
        assert (sampled["product_view"]["products"], sampled["product_view"]["different"]) == (7, 0)
        # What was evicted is not wrong, only not there.
        await world.redis.delete(
            product_key(world.settings.redis_key_prefix, writer.streams[0][0].product_id)
        )
        assert (await verify(world, "product_cache"))["product_cache"]["not_there"] == 1
        assert "product_view: as the log says; 31 products with 92 events" in await command(
            world, "verify", "product_view"
        )


async def test_a_view_that_lags_or_is_parked_does_not_differ(world: World, writer: Writer) -> None:
    parked = history(new_product_id(), created(slug="parked"), priced("2.00"), first_position=1)
    writer.position = len(parked)
    async with world.projecting("product_view"):
        await writer.keep(parked)
        await world.publish(parked[:1])
        await poison(world, parked[1])
        await writer.happen(created(slug="shown"))
        await eventually(writer.all_shown)
        await eventually(lambda: parked_products(world, [parked[0].product_id]))
    await writer.happen(created(slug="later"))
    found = (await verify(world, "product_view"))["product_view"]
    assert (found["different"], found["products"], found["parked"]) == (0, 3, 1)


NO_VARIANT = """
    DELETE FROM views.product_view_variant USING views.product_view AS of_variant
    WHERE of_variant.slug = 'shirt-3' AND product_view_variant.product_id = of_variant.product_id
"""
DAMAGES = {
    "a column": ("UPDATE views.product_view SET name = 'other' WHERE slug = 'shirt-3'", 'name is "other"'),
    "an old row": (
        "UPDATE views.product_view SET stream_version = 2 WHERE slug = 'shirt-3'",
        "stream_version is 2, should be 3",
    ),
    "a row from the future": (
        "UPDATE views.product_view SET stream_version = 9 WHERE slug = 'shirt-3'",
        "which the log does not have",
    ),
    "no row": ("DELETE FROM views.product_view WHERE slug = 'shirt-3'", ": is not there, should be {"),
    "no variant": (NO_VARIANT, ": is not there, should be {"),
}


@pytest.mark.parametrize(("damage", "shown"), DAMAGES.values(), ids=DAMAGES.keys())
async def test_each_damage_is_found(world: World, writer: Writer, damage: str, shown: str) -> None:
    async with world.projecting("product_view"):
        await some_products(writer)
        await eventually(writer.all_shown)
        assert (await world.views.execute(damage)).endswith(" 1")
        found = (await verify(world, "product_view", code=4))["product_view"]
    assert found["different"] >= 1
    assert shown in "".join(found["differences"])


@pytest.mark.parametrize(
    ("version", "body"),
    [(3, b"{}"), (1, b"{}"), (4, b"{}"), (3, None)],
    ids=["bytes", "stale", "future", "deleted"],
)
async def test_a_wrong_document_in_the_cache_is_found(
    world: World, writer: Writer, version: int, body: bytes | None
) -> None:
    async with world.projecting("product_cache"):
        await some_products(writer)
        await eventually(lambda: all_cached(world, writer))
        key = product_key(world.settings.redis_key_prefix, writer.streams[0][0].product_id)
        await world.redis.set(key, pack(version, body))
        found = (await verify(world, "product_cache", code=4))["product_cache"]
        assert found["different"] == 1
        assert str(writer.streams[0][0].product_id) in found["differences"][0]
        await world.redis.set(key, b"nothing that we wrote")
        assert (await verify(world, "product_cache", code=4))["product_cache"]["different"] == 1


async def test_a_hole_in_the_log_is_found(world: World, writer: Writer) -> None:
    async with world.projecting("product_view"):
        stream = await writer.happen(created(slug="s"), priced("2.00"), priced("3.00"))
        await eventually(writer.all_shown)
        await world.store.execute("DELETE FROM catalogue.events WHERE stream_version = 2")
        found = (await verify(world, "product_view", code=4))["product_view"]
    assert f"{stream[0].product_id}: its versions in the log are 1, 3" in found["differences"]


async def test_what_does_not_exist_is_not_verified(world: World) -> None:
    assert "known views: product_view" in await command(world, "verify", "nothing", code=2)


ID = new_product_id()


@pytest.mark.parametrize(
    ("places", "newest", "fault"),
    [
        ([(5, 1), (9, 2)], 2, []),
        ([(5, 1), (9, 2)], 1, []),  # written since its row was read
        ([(5, 1), (9, 2)], 3, [f"{ID}: its row in the log says version 3, its events end at 2"]),
        ([(5, 1), (9, 1)], 1, [f"{ID}: its versions in the log are 1, 1"]),
        ([(9, 1), (5, 2)], 2, [f"{ID}: its positions in the log are 9, 5"]),
    ],
)
def test_a_stream_has_versions_without_gaps_in_the_order_of_positions(
    places: list[tuple[int, int]], newest: int, fault: list[str]
) -> None:
    rows: Any = [(position, ID.bytes, version, "", 1, b"", None) for position, version in places]
    assert stream_faults(ID, rows, newest) == fault
