"""The table behind `products-state` is rebuilt and verified like a view, and the topic follows it."""

import pytest
from msgspec import structs

from shared.contract import events as e
from shared.contract.recorded_event import RecordedEvent
from shared.contract.views import encode_document
from tests.eventually import eventually
from tests.integration.projector_commands import command, command_json
from tests.integration.projector_world import World, world
from tests.integration.rebuild_world import Writer
from tests.integration.state_topic_world import STATE, all_published, expected, reached, table_of
from tests.unit.projector.histories import created, priced

__all__ = ["world"]
pytestmark = pytest.mark.servers


async def some_products(world: World) -> list[list[RecordedEvent]]:
    """One of them deleted, all in the table and in the topic."""
    writer = Writer(world)
    await writer.happen(created(slug="a"), priced("2.00"))
    await writer.happen(created(slug="b"))
    await writer.happen(created(slug="c"), e.ProductDeleted())
    for stream in writer.streams:
        await reached(world, stream)
    return writer.streams


async def test_a_rebuilt_table_is_equal_though_nothing_of_it_counts_as_published_and_the_topic_is_filled_anew(
    world: World,
) -> None:
    async with world.projecting(STATE):
        streams = await some_products(world)
        result = await command_json(world, "rebuild", STATE)
        assert result["switched"] is result["equal"] is True
        await eventually(lambda: all_published(world))
        assert (await command_json(world, "verify", STATE))[0]["differences"] == []
    assert await table_of(world) == expected(streams)


async def test_a_state_that_is_wrong_is_found_mended_in_the_topic_too_and_comes_back_with_a_roll_back(
    world: World,
) -> None:
    async with world.projecting(STATE):
        streams = await some_products(world)
        product_id = str(streams[0][0].product_id)
        right = expected(streams)
        wrong = {**right, product_id: structs.replace(right[product_id], name="W")}
        await world.views.execute(
            "UPDATE views.product_state SET document = $2, published_version = 0 WHERE product_id = $1",
            streams[0][0].product_id,
            encode_document(wrong[product_id]),
        )
        await eventually(lambda: all_published(world))
        assert await table_of(world) == wrong
        result = await command_json(world, "rebuild", STATE, code=4)
        count, shown = result["differences"]
        assert count == "1 of 256 buckets differ"
        assert shown.startswith(f'product_state {product_id}: document.name is "W" live and "')
        await command(world, "rebuild", STATE, "--resume", "--accept-differences")
        await eventually(lambda: all_published(world))
        assert await table_of(world) == right
        await command(world, "rebuild", STATE, "--rollback")
        await eventually(lambda: all_published(world))
        assert await table_of(world) == wrong
