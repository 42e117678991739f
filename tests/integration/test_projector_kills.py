"""SIGKILL in the worst moments of a batch: before its effect, and between its effect and Kafka's commit."""

import asyncio
import signal

import pytest

from deploy.local.ports import free_port
from projector.operators.status import read_status
from projector.projections import PRODUCT_CACHE
from shared.contract import events as e
from tests.eventually import eventually
from tests.integration.projector_process import projector_process
from tests.integration.projector_world import World, world
from tests.integration.rebuild_world import Writer, verify
from tests.table_projections import TABLES
from tests.unit.projector.histories import created, priced

__all__ = ["world"]
pytestmark = pytest.mark.servers
PRODUCT_VIEW = next(iter(TABLES))
SHORT = {"session_timeout_seconds": 2.0}


# Longer than any test waits: only with a name of its own does a process get partitions before.
LONG = {"session_timeout_seconds": 300.0}


async def some_products(writer: Writer) -> None:
    """Of one category and brand, with SKUs that come and go: what is counted twice is seen."""
    for number in range(5):
        await writer.happen(
            created(f"Shirt {number}", category="c/d", slug=f"kill-{writer.position}"),
            e.ProductDetailsChanged(brand="B"),
            priced("2.00"),
            e.ProductPublished(),
        )


@pytest.mark.parametrize("place", ["before-save", "before-offsets"])
@pytest.mark.parametrize("name", [*TABLES, PRODUCT_CACHE.name])
async def test_a_killed_projector_loses_nothing_and_counts_nothing_twice(
    world: World, name: str, place: str
) -> None:
    writer = Writer(world)
    kind = "cache" if name == PRODUCT_CACHE.name else "table"
    fault = f"kill-{place.replace('save', f'{kind}-save')}:1"
    async with projector_process(world.settings.model_copy(update=SHORT), name, fault=fault) as killed:
        await some_products(writer)
        assert await killed.has_ended() == -signal.SIGKILL
    async with world.projecting(name, **SHORT):
        await some_products(writer)

        async def has_applied_all() -> None:
            status = await read_status(world.settings)
            assert {one.projection: one.lag_events for one in status.projections}[name] == 0
            assert status.newest_log_position == 40

        await eventually(has_applied_all)
        found = (await verify(world, name))[name]
        assert (found["products"], found["different"], found["not_there"]) == (10, 0, 0)


@pytest.mark.parametrize("name", TABLES)
async def test_a_projector_killed_in_an_ordinary_batch_loses_nothing_and_counts_nothing_twice(
    world: World, name: str
) -> None:
    writer = Writer(world)
    fault = "kill-before-quick-save:1"
    async with projector_process(world.settings.model_copy(update=SHORT), name, fault=fault) as killed:
        ended = asyncio.create_task(killed.has_ended())
        # The first batch of each partition is no ordinary one.
        while not ended.done():
            await some_products(writer)
        assert await ended == -signal.SIGKILL
    async with world.projecting(name, **SHORT):
        await eventually(lambda: _has_applied(world, name, writer.position))
        found = (await verify(world, name))[name]
        assert (found["different"], found["not_there"]) == (0, 0)


async def _has_applied(world: World, name: str, last_position: int) -> None:
    status = await read_status(world.settings)
    assert {one.projection: one.lag_events for one in status.projections}[name] == 0
    assert status.newest_log_position == last_position


async def test_a_killed_projector_with_a_name_gets_its_partitions_back_before_its_session_ends(
    world: World,
) -> None:
    writer, name, own = Writer(world), PRODUCT_VIEW, {**LONG, "group_member_name": "one"}
    fault = "kill-before-table-save:1"
    async with projector_process(world.settings.model_copy(update=own), name, fault=fault) as killed:
        await some_products(writer)
        assert await killed.has_ended() == -signal.SIGKILL
    async with world.projecting(name, **own):
        await some_products(writer)
        await eventually(lambda: _has_applied(world, name, 40))


async def test_a_projector_with_a_name_that_is_stopped_leaves_its_partitions_to_others_at_once(
    world: World,
) -> None:
    writer, name = Writer(world), PRODUCT_VIEW
    async with world.projecting(name, **LONG, group_member_name="one"):
        await some_products(writer)
        await eventually(lambda: _has_applied(world, name, 20))
    async with world.projecting(name, **LONG, group_member_name="two"):
        await some_products(writer)
        await eventually(lambda: _has_applied(world, name, 40))


async def test_two_projectors_with_one_name_say_so_and_count_nothing_twice(world: World) -> None:
    writer, name, own = Writer(world), PRODUCT_VIEW, {**SHORT, "group_member_name": "one"}
    twin = world.settings.model_copy(update={**own, "projector_ops_port": free_port()})

    async def says_so() -> None:
        answer = await world.ops("/readyz")
        assert answer.status_code == 503
        assert "another process has our GROUP_MEMBER_NAME, one" in answer.json()["checks"][name]

    async with world.projecting(name, **own):
        async with projector_process(twin, name):
            await eventually(says_so)
            await some_products(writer)
        await eventually(lambda: _has_applied(world, name, 20))
        found = (await verify(world, name))[name]
        assert (found["products"], found["different"], found["not_there"]) == (5, 0, 0)
