"""The plain path of an event through a projector among real servers."""

import pytest

from shared.contract import events as e
from shared.contract.cached_document import CachedDocument
from tests.eventually import eventually
from tests.integration.projector_world import World, world
from tests.unit.projector.histories import created, history, new_product_id, priced

__all__ = ["world"]
pytestmark = pytest.mark.servers


async def test_an_event_becomes_a_row_a_document_and_a_newer_list_generation(world: World) -> None:
    product_id = new_product_id()
    async with world.projecting():
        await world.happen(history(product_id, created(), priced("12.50")))
        await eventually(lambda: world.table_shows(product_id, 2))
        await eventually(lambda: world.cache_shows(product_id, 2))
        cached = await world.cached(product_id)
        row = await world.row(product_id)
        assert cached is not None
        assert row is not None
        assert cached.body == row["document"]
        assert list(row["tags"]) == list(created().tags)
        amounts = await world.views.fetch(
            "SELECT sku, currency, amount::text FROM views.product_view_variant"
        )
        assert [tuple(one) for one in amounts] == [("S-1", "EUR", "12.50")]
        assert await world.generation(None) > 0
        assert await world.generation("apparel") > 0


async def test_a_deleted_product_leaves_a_tombstone_in_both_views(world: World) -> None:
    product_id = new_product_id()
    async with world.projecting():
        await world.happen(history(product_id, created(), e.ProductDeleted()))
        await eventually(lambda: world.table_shows(product_id, 2))
        await eventually(lambda: world.cache_shows(product_id, 2))
    row, cached = await world.row(product_id), await world.cached(product_id)
    assert row is not None
    assert (row["status"], row["document"], row["slug"]) == ("deleted", None, "shirt")
    assert await world.views.fetchval("SELECT count(*) FROM views.product_view_variant") == 0
    assert cached == CachedDocument(2, True, b"")
