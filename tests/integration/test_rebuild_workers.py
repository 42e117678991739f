"""The workers of a rebuild wait for one another, however long the load of a slice takes."""

import asyncio
from contextlib import AsyncExitStack
from uuid import uuid4

import asyncpg
import pytest

from projector.rebuild.postgres.lock import rebuild_lock
from projector.rebuild.postgres.record import RebuildRecords
from projector.stores import open_stores
from tests.eventually import eventually
from tests.integration.lock_waits import lock_waits
from tests.integration.projector_world import World, world

__all__ = ["world"]
pytestmark = pytest.mark.servers
VIEW = "product_view"


async def test_a_worker_waits_for_the_slice_of_another_one_for_longer_than_projections_wait_for_locks(
    world: World,
) -> None:
    settings = world.settings.model_copy(update={"lock_timeout_seconds": 0.001})
    dsn = settings.read_model_dsn.read()
    async with AsyncExitStack() as stack:
        watching = await asyncpg.connect(dsn)
        stack.push_async_callback(watching.close)
        stores = await open_stores(settings, 2, stack)
        owner_id = await stack.enter_async_context(rebuild_lock(dsn, VIEW, connect_timeout_seconds=30))
        records = RebuildRecords(stores.read_model, VIEW, owner_id)
        await records.start(uuid4(), target=2, slices=2, made_by="this test", generation=0)

        async def mark(which: int) -> bool:
            async with records.owned() as connection:
                return await records.mark_slice(connection, which, events=1)

        async with records.owned() as connection:
            assert await records.mark_slice(connection, 0, events=1)
            second = asyncio.create_task(mark(1))

            async def second_waits() -> None:
                if second.done():
                    await second
                await lock_waits(watching, 1)

            await eventually(second_waits)
        assert await second
