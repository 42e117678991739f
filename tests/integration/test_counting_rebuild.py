"""Views that count are rebuilt like any other: equal, and with what several products share."""

from typing import Any

import msgspec
import pytest

from shared.contract import events as e
from tests.eventually import eventually
from tests.integration.projector_commands import command, command_json
from tests.integration.projector_world import World, world
from tests.integration.rebuild_world import Writer
from tests.table_projections import TABLES
from tests.unit.projector.histories import created, history, new_product_id, priced, variant

__all__ = ["world"]
pytestmark = pytest.mark.servers
COUNTING = ("category_view", "inventory", "analytics")


@pytest.fixture
def writer(world: World) -> Writer:
    return Writer(world)


async def some_products(writer: Writer) -> None:
    """Categories, brands, days and one SKU are shared; some are deleted."""
    for number in range(20):
        await writer.happen(
            created(f"Shirt {number}", category=f"c{number % 3}/d{number % 5}", slug=f"s-{number}"),
            e.ProductDetailsChanged(brand=f"B{number % 4}"),
            e.VariantAdded(f"V-{number}", {}, e.Money("1.00", "EUR")),
            e.PriceChanged("S-1", e.Money(f"{number}.00", "EUR"), e.Money("10.00", "EUR")),
            e.ProductPublished(),
            *([e.ProductDeleted()] if number % 6 == 0 else []),
        )


def in_slices(world: World, *, of_products: int) -> None:
    world.settings = world.settings.model_copy(update={"rebuild_products_in_memory_max": of_products})


async def contents(world: World, name: str, schema: str = "views") -> dict[str, list[Any]]:
    return {
        one: await world.views.fetch(f"SELECT t::text FROM {schema}.{one} t ORDER BY 1")
        for one in TABLES[name].make_tables().names
    }


async def has_applied(world: World, name: str, writer: Writer) -> None:
    (product_table,) = [one for one in TABLES[name].make_tables().names if one.endswith("_product")]
    for stream in writer.streams:
        version = await world.views.fetchval(
            f"SELECT stream_version FROM views.{product_table} WHERE product_id = $1", stream[0].product_id
        )
        assert version == stream[-1].stream_version


@pytest.mark.parametrize("name", COUNTING)
async def test_a_rebuilt_view_is_equal_and_counts_on_from_there(
    world: World, writer: Writer, name: str
) -> None:
    async with world.projecting(name):
        await some_products(writer)
        await eventually(lambda: has_applied(world, name, writer))
        before = await contents(world, name)
        in_slices(world, of_products=5)
        result = await command_json(world, "rebuild", name, "--workers", "2")
        assert result["switched"] is result["equal"] is True
        assert result["rows"] == sum(map(len, before.values()))
        assert await contents(world, name) == before == await contents(world, name, "views_previous")
        await some_products(writer)
        await eventually(lambda: has_applied(world, name, writer))
        result = await command_json(world, "rebuild", name)
        assert result["equal"] is True
        await writer.happen(created(slug="after"), priced("3.00"))
        await command(world, "rebuild", name, "--rollback")
        await eventually(lambda: has_applied(world, name, writer))
    assert (await command_json(world, "rebuild", name, "--without-comparison"))["switched"] is True


async def test_a_count_that_is_wrong_is_found_and_mended(world: World, writer: Writer) -> None:
    async with world.projecting("category_view"):
        await some_products(writer)
        await eventually(lambda: has_applied(world, "category_view", writer))
        before = await contents(world, "category_view")
        await world.views.execute("UPDATE views.category_view_brand SET active = 99 WHERE brand = 'B1'")
        result = await command_json(world, "rebuild", "category_view", code=4)
        assert any("category_view_brand B1: active is 99 live and" in line for line in result["differences"])
        await command(world, "rebuild", "category_view", "--resume", "--accept-differences")
        assert await contents(world, "category_view") == before


async def test_while_a_product_is_parked_what_it_shares_is_not_held_against_the_rebuilt_view(
    world: World, writer: Writer
) -> None:
    async with world.projecting("inventory"):
        await some_products(writer)
        removed = [
            created(slug="bad"),
            e.VariantAdded("X", {}, e.Money("1.00", "EUR")),
            e.VariantRemoved("X"),
        ]
        bad = history(new_product_id(), *removed, first_position=writer.position + 1)
        writer.position += 3
        await writer.keep(bad)
        await world.publish([bad[0], msgspec.structs.replace(bad[1], data=b"{"), bad[2]])
        await writer.published()
        await eventually(lambda: has_applied(world, "inventory", writer))

        async def is_parked() -> None:
            assert await world.views.fetchval("SELECT count(*) FROM views.parked_event") == 2

        await eventually(is_parked)
        result = await command_json(world, "rebuild", "inventory")
        assert (result["equal"], result["left_out"]) == (True, 1)
        state = await world.views.fetchval("SELECT state FROM views.stock_item WHERE sku = 'X'")
        assert state == "closed"
        assert await world.views.fetchval("SELECT count(*) FROM views.parked_event") == 0


async def test_a_sku_belongs_to_its_latest_claim_however_the_workers_meet_it(
    world: World, writer: Writer
) -> None:
    for number in range(12):
        await writer.happen(
            msgspec.structs.replace(created(slug=str(number)), variants=(variant("SHARED"),)),
            *([e.ProductDeleted()] if number < 11 else []),
        )
    in_slices(world, of_products=2)
    await command(world, "rebuild", "inventory", "--without-comparison", "--workers", "2")
    row = await world.views.fetchrow("SELECT product_id, state, log_position FROM views.stock_item")
    last = writer.streams[-1][0]
    assert tuple(row) == (last.product_id, "open", last.log_position)
