"""The table of states: what waits, in bounded portions; what counts as published, and what no longer does."""

import asyncio
from typing import Any
from uuid import UUID

import msgspec
import pytest

from projector.applying.ports import Change, Held
from projector.state_topic.fold import ProductState
from projector.state_topic.postgres import PostgresStates, ProductStateTables
from shared.contract.addresses import partition_of
from shared.contract.views import ProductDocument
from tests.integration.view_world import read_model
from tests.unit.projector.histories import START, created, history, new_product_id
from tests.unit.projector.records import folded
from tests.unit.projector.state_suites import portion_of

__all__ = ["read_model"]
pytestmark = pytest.mark.servers
TABLES = ProductStateTables(1)


def states(read_model: Any) -> PostgresStates:
    return PostgresStates(read_model, projection="p", topic="t")


def document(product_id: UUID, name: str = "Shirt") -> ProductDocument:
    found = folded(history(product_id, created(name)))[1]
    assert found is not None
    return found


def change(product_id: UUID, stream_version: int, shown: ProductDocument | None) -> Change[ProductState]:
    state = ProductState(shown, START)
    return Change(product_id, stream_version, stream_version, None, state, state)


async def save(read_model: Any, *changes: Change[ProductState]) -> None:
    async with read_model.acquire() as connection:
        await TABLES.save(connection, changes)


async def test_what_is_held_is_what_was_saved_or_loaded_deleted_products_included(read_model: Any) -> None:
    live, gone, loaded = (new_product_id() for _ in range(3))
    await save(read_model, change(live, 1, document(live)), change(gone, 2, None))
    async with read_model.acquire() as connection:
        await TABLES.load(connection, [change(loaded, 5, document(loaded))])
        held = await TABLES.held(connection, [live, gone, loaded, new_product_id()])
    assert held == {
        live: Held(1, ProductState(document(live), START)),
        gone: Held(2, ProductState(None, START)),
        loaded: Held(5, ProductState(document(loaded), START)),
    }
    assert (await states(read_model).waiting([0]))[0].states == 3


async def test_a_row_is_kept_under_the_partition_of_its_product(read_model: Any) -> None:
    ids = [new_product_id() for _ in range(20)]
    async with read_model.acquire() as connection:
        await ProductStateTables(12).save(connection, [change(one, 1, None) for one in ids])
    rows = await read_model.fetch("SELECT product_id, partition FROM views.product_state")
    assert {row["product_id"]: row["partition"] for row in rows} == {
        one: partition_of(one, 12) for one in ids
    }


def _product_id_in(partition: int) -> UUID:
    """Of three partitions."""
    return next(one for one in iter(new_product_id, None) if partition_of(one, 3) == partition)


async def test_partitions_that_are_read_together_have_their_own_oldest_states_and_share_the_limits(
    read_model: Any,
) -> None:
    ids = [_product_id_in(number % 3) for number in range(15)]
    async with read_model.acquire() as connection:
        saved = [change(one, number, document(one)) for number, one in enumerate(ids, start=1)]
        await ProductStateTables(3).save(connection, saved)
    table, bounded = states(read_model), PostgresStates(read_model, projection="p", topic="t", states_max=6)
    together = await table.unpublished(range(4))
    assert together == {at: await portion_of(table, at) for at in range(4)}
    assert [at for at, portion in together.items() if not portion.states] == [3]
    assert all(portion.are_all for portion in together.values())
    for at, portion in (await bounded.unpublished(range(3))).items():
        oldest = [one for one in ids if partition_of(one, 3) == at][:2]
        assert ([state.product_id for state in portion.states], portion.are_all) == (oldest, False)


async def test_versions_written_while_their_predecessor_is_published_are_not_lost(read_model: Any) -> None:
    product_id, table = new_product_id(), states(read_model)
    for version in range(1, 20):
        shown = msgspec.structs.replace(document(product_id), version=version)
        await save(read_model, change(product_id, version, shown))
        taken = (await portion_of(table)).states
        newer = change(product_id, version + 100, None) if version == 19 else None
        await asyncio.gather(table.published(taken), *([save(read_model, newer)] if newer else []))
    (state,) = (await portion_of(table)).states
    assert state.stream_version == 119
