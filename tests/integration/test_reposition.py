"""`python -m projector reposition` on real servers, after the topic has been lost."""

import pytest

from shared.contract.recorded_event import RecordedEvent
from tests.eventually import eventually
from tests.integration.projector_commands import command, command_json
from tests.integration.projector_world import World, product_id_in, world
from tests.unit.projector.histories import created, history, priced

__all__ = ["world"]
pytestmark = pytest.mark.servers
WHY = ("--reason", "Kafka is lost", "--actor", "anna")
VIEWS = ("product_view", "category_view", "inventory", "analytics", "product_cache", "products_state")


async def _states(world: World) -> dict[str, str]:
    status = await command_json(world, "status")
    return {one["projection"]: one["state"] for one in status["projections"]}


async def _all_run(world: World, *names: str) -> None:
    states = await _states(world)
    assert {states[name] for name in names} == {"running"}, states


async def _lose_the_topic(world: World, lost: list[RecordedEvent]) -> None:
    """These events were written, and nobody got them: the broker was lost with them."""
    await world.append(lost)
    await world.remake_topic()


async def test_a_projection_whose_topic_is_lost_gets_what_was_never_delivered_and_goes_on(
    world: World,
) -> None:
    stream = history(product_id_in(3), created(), priced("2.00"), priced("3.00"))
    other = history(product_id_in(5), created())
    newest = other[0].log_position
    async with world.projecting(*VIEWS):
        await world.happen(stream[:2])
        await eventually(lambda: world.table_shows(stream[0].product_id, 2))
        await eventually(lambda: world.cache_shows(stream[0].product_id, 2))
        await eventually(lambda: _all_run(world, *VIEWS))
    await _lose_the_topic(world, [stream[2], *other])
    async with world.projecting(*VIEWS, wait=False):
        reason = await eventually(lambda: world.stopped("product_view"))
        assert "python -m projector reposition product_view" in reason
        said = await command(world, "reposition", "--all", *WHY)
        assert f"product_view: 2 events applied from the log; at the ends, position {newest}" in said
        await eventually(lambda: _all_run(world, *VIEWS))
        for product_id, version in ((stream[0].product_id, 3), (other[0].product_id, 1)):
            await world.table_shows(product_id, version)
            await world.cache_shows(product_id, version)
        later = history(product_id_in(3), created())
        await world.happen(later)
        await eventually(lambda: world.table_shows(later[0].product_id, 1))
        await eventually(lambda: world.cache_shows(later[0].product_id, 1))
    done = await command_json(world, "audit", "--projection", "analytics")
    assert [(one["actor"], one["action"], one["reason"]) for one in done["items"]] == [
        ("anna", "reposition", "Kafka is lost")
    ]
