"""Searches over HTTP: the index finds, the cache and the table give the documents."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from query_api.cursors import Cursors
from query_api.products.http.list_parameters import ListParameters
from query_api.products.ports import PagePosition
from tests.integration.query_world import (
    START,
    World,
    own_world,
    product,
    shared_installation,
    token_for,
    variant,
    world,
)
from tests.integration.search_index import Index, index

__all__ = ["index", "own_world", "shared_installation", "world"]

pytestmark = pytest.mark.servers


@pytest_asyncio.fixture
async def shop(world: World, index: Index) -> AsyncIterator[Index]:
    """Three active products in index and table, and a draft."""
    for document in (
        product(id=UUID(int=1), name="Linen shirt", brand="Wren", category="apparel/shirts", tags=("new",),
                variants=(variant("LIN-S", "19.00"), variant("LIN-M", "25.00")),
                attributes={"colour": "blue"}),
        product(id=UUID(int=2), name="Wool shirt", brand="Hearth", category="apparel/shirts",
                created_at=START + timedelta(days=1), attributes={"colour": "red", "weight": 300}),
        product(id=UUID(int=3), name="Shirt hanger", brand="Hearth", category="home"),
        product(id=UUID(int=4), name="Secret shirt", status="draft"),
    ):  # fmt: skip
        await world.store(document)
        index.apply(document)
    yield index


async def _get(world: World, query: str, **headers: str) -> Any:
    answer = await world.served.get(f"/v1/products?{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _names(page: Any) -> list[str]:
    return [item["name"] for item in page["items"]]


async def test_a_search_gives_documents_matches_total_and_facets(world: World, shop: Index) -> None:
    page = await _get(
        world, "q=shirt&brand=Hearth&currency=USD&facets=brand,category,price,attr.colour&with_total=true"
    )
    assert _names(page) == ["Wool shirt", "Shirt hanger"]
    assert page["total"] == 2
    assert page["corrected"] is None
    assert [match["tier"] for match in page["matches"]] == ["name", "name"]
    assert page["facets"]["brand"] == [{"value": "Hearth", "count": 2}, {"value": "Wren", "count": 1}]
    assert page["facets"]["category"] == [
        {
            "value": "apparel", "count": 1,
            "children": [{"value": "apparel/shirts", "count": 1, "children": []}],
        },
        {"value": "home", "count": 1, "children": []},
    ]  # fmt: skip
    assert page["facets"]["price"] == [{"min": "10.00", "max": "19.99", "count": 2}]
    # `product` makes the shirt hanger blue.
    assert page["facets"]["attr.colour"] == [{"value": "blue", "count": 1}, {"value": "red", "count": 1}]


async def test_an_item_is_the_stored_document(world: World, shop: Index) -> None:
    stored = product(id=uuid4(), name="Übergröße", version=7)
    await world.store(stored)
    shop.apply(stored)
    page = await _get(world, "q=ubergrosse")
    single = await world.served.get(f"/v1/products/{stored.id}")
    assert page["items"] == [single.json()]


async def test_the_variants_that_are_meant_are_named(world: World, shop: Index) -> None:
    assert (await _get(world, "q=lin-m"))["matches"] == [{"tier": "sku", "skus": ["LIN-M"]}]
    priced = await _get(world, "q=linen&currency=USD&price_max=20")
    assert priced["matches"] == [{"tier": "name", "skus": ["LIN-S"]}]
    assert (await _get(world, "q=linen"))["matches"] == [{"tier": "name", "skus": []}]


async def test_attributes_filter_as_values_and_ranges(world: World, shop: Index) -> None:
    assert _names(await _get(world, "attr.colour=red")) == ["Wool shirt"]
    assert _names(await _get(world, "attr.weight.min=200&attr.weight.max=300.0")) == ["Wool shirt"]
    assert _names(await _get(world, "attr.weight.min=300.5")) == []


async def test_chosen_fields_are_those_of_the_document(world: World, shop: Index) -> None:
    whole = (await _get(world, "q=linen"))["items"][0]
    for query in ("q=linen", "brand=Wren", "brand=Wren"):
        page = await _get(world, f"{query}&fields=variants,name")
        assert page["items"] == [{name: whole[name] for name in ("id", "name", "variants")}]
        assert list(page["items"][0]) == ["id", "name", "variants"]
    assert (await _get(world, "brand=Wren"))["items"] == [whole], "the cached page is the whole one"


async def test_a_typo_is_corrected_and_told(world: World, shop: Index) -> None:
    page = await _get(world, "q=linnen+shrit")
    assert _names(page) == ["Linen shirt"]
    assert page["corrected"] == "linen shirt"


@pytest.mark.parametrize("sort", ["relevance", "name", "-name", "price", "-updated_at", "id"])
async def test_a_walk_has_each_product_once(world: World, shop: Index, sort: str) -> None:
    for number in range(10, 20):
        document = product(id=UUID(int=number), name=f"Plain shirt {number % 3}")
        await world.store(document)
        shop.apply(document)
    walked: list[str] = []
    cursor = ""
    while cursor is not None:
        page = await _get(world, f"q=shirt&currency=USD&sort={sort}&limit=4{cursor and '&cursor='}{cursor}")
        walked += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert len(walked) == len(set(walked)) == 13


async def test_a_cursor_of_another_search_is_refused(world: World, shop: Index) -> None:
    cursor = (await _get(world, "q=shirt&limit=1"))["next_cursor"]
    for query in ("q=hanger", "q=shirt&brand=Wren", "q=shirt&sort=name", "status=active"):
        answer = await world.served.get(f"/v1/products?{query}&limit=1&cursor={cursor}")
        assert answer.status_code == 400, query
        assert answer.json()["errors"][0]["pointer"] == "/cursor"
    follow = await _get(world, f"q=shirt&limit=1&cursor={cursor}&with_total=true")
    assert follow["total"] == 3


async def test_what_changed_after_it_was_found_is_left_out_or_served_newer(world: World, shop: Index) -> None:
    """The index is behind: the table has a deletion, a draft, and a newer document."""
    await world.store(product(id=UUID(int=2), name="Wool shirt, softer", version=2))
    await world.store(product(id=UUID(int=3), name="Shirt hanger", status="archived", version=2))
    page = await _get(world, "q=shirt&sort=id")
    assert _names(page)[1:] == ["Wool shirt, softer"]


async def test_a_product_that_left_the_list_after_it_was_found_is_not_shown(
    world: World, shop: Index
) -> None:
    await world.store(product(id=UUID(int=2), name="Wool shirt", brand="Wren", version=2))
    assert _names(await _get(world, "brand=Hearth")) == ["Shirt hanger"]
    assert _names(await _get(world, "q=shirt&brand=Hearth")) == ["Shirt hanger"]
    assert _names(await _get(world, "q=wool")) == ["Wool shirt"]
    await world.store(product(id=UUID(int=3), name="Shirt hanger", brand="Hearth", version=2))
    assert _names(await _get(world, "brand=Hearth")) == ["Shirt hanger"], "changed, and still of this brand"


async def test_the_index_answers_filters_and_the_table_what_it_has_in_order(
    world: World, shop: Index
) -> None:
    await world.store(product(id=UUID(int=5), name="Not indexed", brand="Hearth", sku="NOT"))
    assert "Not indexed" not in _names(await _get(world, "brand=Hearth"))
    for query in ("", "sort=name", "sku=NOT&brand=Hearth", f"ids={UUID(int=5)}&brand=Hearth"):
        assert "Not indexed" in _names(await _get(world, query)), query


async def test_a_walk_that_the_table_began_before_an_upgrade_goes_on(world: World, shop: Index) -> None:
    filters = ListParameters(brand="Hearth", sort="name").filters()
    cursors = Cursors(world.settings.cursor_signing_key.read().encode(), PagePosition)
    cursor = cursors.encode(PagePosition("Shirt hanger", UUID(int=3)), filters)
    await world.store(product(id=UUID(int=5), name="Not indexed", brand="Hearth", version=1))
    await world.store(product(id=UUID(int=6), name="Wool scarf", brand="Hearth", version=1))
    page = await _get(world, f"brand=Hearth&sort=name&limit=1&cursor={cursor}")
    assert _names(page) == ["Wool scarf"]
    page = await _get(world, f"brand=Hearth&sort=name&limit=1&cursor={page['next_cursor']}")
    assert _names(page) == ["Wool shirt"]


async def test_a_list_with_filters_is_503_while_there_is_no_index(own_world: World) -> None:
    for query in ("brand=Hearth&tag=new", "category=a", "status=draft&tag=new", "sort=price&currency=USD"):
        answer = await own_world.served.get(f"/v1/products?{query}")
        assert (answer.status_code, answer.json()["code"]) == (503, "search-unavailable"), query
        assert int(answer.headers["retry-after"]) >= 1
    for query in ("sort=name", "status=draft", "status=active,draft&sort=-name"):
        assert (await own_world.served.get(f"/v1/products?{query}")).status_code == 200


async def test_a_read_with_a_token_finds_its_write(world: World, shop: Index) -> None:
    written = product(name="Fresh scarf")
    position = shop.apply(written)
    token = token_for(written.id, position, 1)
    behind = await world.served.get(
        "/v1/products?q=scarf", headers={"consistency-token": token, "prefer": "wait=0"}
    )
    assert behind.status_code == 503, "the index has it, the table has no document yet"
    await world.store(written, log_position=position)
    await world.pass_checkpoint(written.id, position)
    page = await _get(world, "q=scarf", **{"consistency-token": token})
    assert _names(page) == ["Fresh scarf"]


async def test_a_token_that_the_index_has_not_reached_is_503(world: World, shop: Index) -> None:
    token = token_for(uuid4(), 1_000_000, 1)
    answer = await world.served.get(
        "/v1/products?q=shirt", headers={"consistency-token": token, "prefer": "wait=0"}
    )
    assert answer.status_code == 503
    assert answer.json()["code"] == "read-model-behind"


async def test_suggestions_name_products_brands_and_categories(world: World, shop: Index) -> None:
    answer = await world.served.get("/v1/products/suggest?q=he&limit=3")
    assert answer.status_code == 200, answer.text
    assert answer.json()["brands"] == [{"value": "Hearth", "count": 2}]
    shirts = (await world.served.get("/v1/products/suggest?q=shirt")).json()
    assert shirts["categories"] == [{"value": "apparel/shirts", "count": 2}]
    assert {one["name"] for one in shirts["products"]} == {"Linen shirt", "Wool shirt", "Shirt hanger"}
    assert set(shirts["products"][0]) == {"id", "slug", "name", "brand"}


@pytest.mark.parametrize("query", ["", "q=", "q=%26", "q=a&limit=0", "q=a&limit=21", "q=a&x=1", "q=a&q=b"])
async def test_a_bad_suggestion_is_400(world: World, query: str) -> None:
    answer = await world.served.get(f"/v1/products/suggest?{query}")
    assert answer.status_code == 400, answer.text
