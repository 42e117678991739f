"""No batch gets between the catch-up of a switch and the move of its tables, whichever partition it is of."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
import pytest_asyncio

from projector.applying.ports import Checkpoint
from projector.errors import Fenced
from projector.projections import PRODUCT_VIEW
from projector.views.postgres.statements import LIVE
from projector.views.postgres.view import PostgresView
from shared.contract.addresses import topics
from shared.contract.recorded_event import RecordedEvent
from tests.databases import DatabaseDsns
from tests.eventually import eventually
from tests.integration.lock_waits import lock_waits
from tests.integration.rebuild_stores import PostgresRebuildStores, locked_rebuild_stores
from tests.integration.view_world import read_model
from tests.unit.projector.rebuild_suites import begun, catch_up_of, product
from tests.unit.projector.records import LOG_ID, folded
from tests.unit.projector.view_suites import change_to

__all__ = ["read_model"]
pytestmark = pytest.mark.servers
PARTITION = 3
TOPIC = topics("").events
# Before the change, and after it.
BEGINNINGS_MAX = 2


@pytest_asyncio.fixture
async def stores(read_model: Any, read_model_dsns: DatabaseDsns) -> AsyncIterator[PostgresRebuildStores]:
    async with locked_rebuild_stores(read_model, read_model_dsns.projector) as stores:
        yield stores


@pytest.mark.parametrize("change", ["switch", "switch_back"])
async def test_the_first_batch_of_a_partition_waits_for_the_change_and_is_in_the_view_that_serves(
    change: str, stores: PostgresRebuildStores, read_model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shadow, events, batches = await begun(stores), product(), list[asyncio.Task[None]]()
    await shadow.finish_loading()
    if change == "switch_back":
        await shadow.switch(catch_up_of(stores))
    locked_checkpoints = shadow._locked_checkpoints  # type: ignore[attr-defined]

    async def lock_and_begin_a_batch(connection: Any) -> Any:
        found = await locked_checkpoints(connection)
        batches.append(asyncio.create_task(apply(read_model, events)))
        await eventually(lambda: waits(batches[-1], read_model))
        return found

    monkeypatch.setattr(shadow, "_locked_checkpoints", lock_and_begin_a_batch)
    await getattr(shadow, change)(catch_up_of(stores))
    (batch,) = batches
    await batch
    product_id = events[0].product_id
    assert await stores.live([product_id]) == {product_id: folded(events)}
    offset, position = (await checkpoints(read_model))[PARTITION]
    assert (offset, position >= events[-1].log_position) == (7, True)


async def apply(read_model: Any, events: list[RecordedEvent]) -> None:
    """As the consumer of a partition does with its first batch; one that is fenced begins again."""
    tables = PRODUCT_VIEW.make_tables(LIVE)
    view = PostgresView(read_model, tables, projection=PRODUCT_VIEW.name, topic=TOPIC)
    for _ in range(BEGINNINGS_MAX):
        await view.checkpoints([PARTITION])
        with suppress(Fenced):
            async with view.begin({PARTITION: Checkpoint(7, events[-1].log_position, LOG_ID)}) as batch:
                await batch.save([change_to(events)])
            return


async def waits(batch: "asyncio.Task[None]", read_model: Any) -> None:
    if batch.done():
        raise RuntimeError(f"the batch did not wait for the change: {batch}")
    await lock_waits(read_model, 1)


async def checkpoints(read_model: Any) -> dict[int, tuple[int, int]]:
    rows = await read_model.fetch(
        "SELECT partition, next_offset, log_position FROM views.projection_checkpoint"
    )
    return {row["partition"]: (row["next_offset"], row["log_position"]) for row in rows}


async def test_an_ordinary_batch_neither_holds_up_a_switch_nor_writes_what_it_read_before_it(
    stores: PostgresRebuildStores, read_model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shadow, events = await begun(stores), product(first_position=11)
    view = PostgresView(read_model, PRODUCT_VIEW.make_tables(LIVE), projection=PRODUCT_VIEW.name, topic=TOPIC)
    shortcut = view.shortcut
    assert shortcut is not None
    async with view.begin({PARTITION: Checkpoint(1, 0, LOG_ID)}) as batch:
        await batch.save([change_to(events[:1])])
    await stores.log.keep(events[:1])
    await shadow.finish_loading()
    reached = {PARTITION: Checkpoint(2, events[-1].log_position, LOG_ID)}
    found = await shortcut.held(reached, [events[0].product_id])
    assert found is not None
    locked_checkpoints = shadow._locked_checkpoints  # type: ignore[attr-defined]

    async def lock_and_try_a_batch(connection: Any) -> Any:
        locked = await locked_checkpoints(connection)
        assert not await shortcut.save(reached, found, [change_to(events)])
        return locked

    monkeypatch.setattr(shadow, "_locked_checkpoints", lock_and_try_a_batch)
    await shadow.switch(catch_up_of(stores))
    # The version is the same, but the row is another one.
    assert await stores.live([events[0].product_id]) == {events[0].product_id: folded(events[:1])}
    assert not await shortcut.save(reached, found, [change_to(events)])
    again = await shortcut.held(reached, [events[0].product_id])
    assert again == found
    assert await shortcut.save(reached, again, [change_to(events)])
    assert await stores.live([events[0].product_id]) == {events[0].product_id: folded(events)}
