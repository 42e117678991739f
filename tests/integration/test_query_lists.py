"""Lists: filters, order, paging that loses and repeats nothing, and how old a cached page may be. With search
off the table answers all of them, else the search index those that the table does not walk quickly.
"""

import random
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from shared.contract.views import ProductDocument, encode_document
from tests.integration.query_world import (
    START,
    Installation,
    World,
    module_installation,
    product,
    variant,
    world,
)
from tests.integration.search_index import Index
from tests.servers import DatabaseDsns
from tests.ways import Way

__all__ = ["world"]

BY_TABLE = pytest.mark.parametrize("shared_installation", ["off"], indirect=True, scope="module")
SORTS = ["name", "-name", "price", "-price", "updated_at", "-updated_at"]


@pytest_asyncio.fixture(scope="module", params=["off", "embedded"])
async def shared_installation(
    request: pytest.FixtureRequest,
    read_model_of_module: DatabaseDsns,
    redis_url_of_module: str,
    way_to_views: Way,
) -> AsyncIterator[Installation]:
    async with module_installation(
        read_model_of_module, redis_url_of_module, way_to_views, search=request.param
    ) as shared:
        yield shared


class Shop:
    """Products in the table, and in the search index if there is one."""

    def __init__(self, world: World, index: Index | None) -> None:
        self._world = world
        self._index = index

    async def store(self, *documents: ProductDocument) -> None:
        for position, document in enumerate(documents, start=1):
            await self._world.store(document, log_position=position)
        if self._index is not None:
            self._index.apply(*documents)

    async def delete(self, document: ProductDocument) -> None:
        await self._world.delete(document)
        if self._index is not None:
            self._index.apply(deleted=(document.id,))


@pytest.fixture
def shop(world: World, tmp_path: Path) -> Iterator[Shop]:
    if world.settings.search == "off":
        yield Shop(world, None)
        return
    index = Index(world, tmp_path)
    yield Shop(world, index)
    index.index.close()


async def _list(world: World, **parameters: Any) -> httpx.Response:
    return await world.served.get("/v1/products", params=parameters)


async def _names(world: World, **parameters: Any) -> list[str]:
    answer = await _list(world, **parameters)
    assert answer.status_code == 200, answer.text
    return sorted(item["name"] for item in answer.json()["items"])


async def _catalogue(shop: Shop) -> None:
    await shop.store(
        *[
            product(name="shirt", category="apparel/shirts", brand="B", tags=("men", "new"), sku="OBS-M",
                    variants=(variant("OBS-M", "50.00"), variant("OBS-L", "60.00"))),
            product(name="hat", category="apparel", brand="C", tags=("men",),
                    updated_at=START + timedelta(days=1), variants=(variant("HAT", "9.50", "EUR"),)),
            product(name="shirtings", category="apparel/shirtings", brand="B",
                    variants=(variant("X/1 ä", "100"),)),
            product(name="apparel2", category="apparel2/shirts", tags=("new",),
                    variants=(variant("J", "7", "JPY"),)),
            product(name="draft", status="draft", category="apparel"),
            product(name="archived", status="archived", category="apparel"),
        ],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        ({}, ["apparel2", "hat", "shirt", "shirtings"]),
        ({"category": "apparel"}, ["hat", "shirt", "shirtings"]),
        ({"category": "apparel/shirts"}, ["shirt"]),
        ({"category": "appare"}, []),
        ({"brand": "B"}, ["shirt", "shirtings"]),
        ({"tag": "men"}, ["hat", "shirt"]),
        ({"tag": "new", "brand": "B"}, ["shirt"]),
        ({"status": "draft"}, ["draft"]),
        ({"status": "archived,draft"}, ["archived", "draft"]),
        ({"sku": "OBS-L"}, ["shirt"]),
        ({"sku": "X/1 ä"}, ["shirtings"]),
        ({"currency": "EUR"}, ["hat"]),
        ({"currency": "USD", "price_min": "60"}, ["shirt", "shirtings"]),
        ({"currency": "USD", "price_max": "50.00"}, ["shirt"]),
        ({"currency": "USD", "price_min": "51", "price_max": "59"}, []),
        ({"currency": "USD", "price_min": "51", "price_max": "60", "sort": "price"}, ["shirt"]),
        ({"currency": "USD", "sort": "-price"}, ["shirt", "shirtings"]),
        ({"currency": "JPY", "price_min": "7"}, ["apparel2"]),
        ({"updated_after": "2026-01-01T12:00:00+02:00"}, ["hat"]),
    ],
)
async def test_a_filter_keeps_what_it_says(
    world: World, shop: Shop, parameters: dict[str, str], names: list[str]
) -> None:
    await _catalogue(shop)
    assert await _names(world, **parameters) == names


@pytest.mark.parametrize("parameter", ["brand", "tag", "sku", "category"])
async def test_both_spellings_of_a_name_make_one_list(world: World, shop: Shop, parameter: str) -> None:
    name = "caf\u00e9"
    await shop.store(product(name="p", brand=name, tags=(name,), category=f"{name}/x", sku=name))
    first, second = [await _list(world, **{parameter: each}) for each in (name, "cafe\u0301")]
    assert [item["name"] for item in first.json()["items"]] == ["p"]
    assert second.content == first.content


async def test_ids_keep_only_those_products(world: World, shop: Shop) -> None:
    documents = [product(name=f"p{number}") for number in range(4)]
    await shop.store(*documents)
    ids = ",".join(str(document.id) for document in documents[:2])
    assert await _names(world, ids=ids) == ["p0", "p1"]


async def test_items_are_the_stored_bytes(world: World, shop: Shop) -> None:
    document = product()
    await shop.store(document)
    answer = await _list(world)
    assert answer.content == b'{"items":[' + encode_document(document) + b'],"next_cursor":null}'
    assert answer.headers["content-type"] == "application/json"
    assert "link" not in answer.headers


def _random_products(count: int) -> list[ProductDocument]:
    """Few different names, prices and times, so that ties are the rule."""
    dice = random.Random(7)
    return [
        product(
            name=dice.choice(["a", "B", "ä", "aa", "Z"]),
            updated_at=START + timedelta(seconds=dice.randrange(4), microseconds=dice.randrange(2)),
            variants=tuple(
                variant(f"{number}-{n}", f"{dice.randrange(5)}.00") for n in range(dice.randrange(1, 4))
            ),
        )
        for number in range(count)
    ]


def _sort_value(document: ProductDocument, sort: str) -> Any:
    if sort.endswith("price"):
        return min(Decimal(one.price.amount) for one in document.variants)
    return document.name.encode() if sort.endswith("name") else document.updated_at


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("limit", [1, 7, 200])
async def test_paging_gives_each_product_exactly_once_in_order(
    world: World, shop: Shop, sort: str, limit: int
) -> None:
    documents = _random_products(40)
    await shop.store(*documents)
    seen: list[str] = []
    path: str | None = f"/v1/products?sort={sort}&limit={limit}&currency=USD"
    while path is not None:
        answer = await world.served.get(path)
        items = answer.json()["items"]
        assert len(items) <= limit
        assert len(seen) <= len(documents), "the pages do not end"
        seen += [item["id"] for item in items]
        path = answer.links["next"]["url"] if "next" in answer.links else None
        assert (path is None) == (answer.json()["next_cursor"] is None)
    assert sorted(seen) == sorted(str(document.id) for document in documents)
    by_id = {str(document.id): _sort_value(document, sort) for document in documents}
    values = [by_id[product_id] for product_id in seen]
    assert values == sorted(values, reverse=sort.startswith("-"))


@pytest.mark.parametrize("sort", SORTS)
async def test_while_others_change_each_unchanged_product_is_seen_exactly_once(
    world: World, shop: Shop, sort: str
) -> None:
    documents = _random_products(40)
    steady, moving = documents[:25], documents[25:]
    await shop.store(*documents)
    dice = random.Random(11)
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        parameters = {"sort": sort, "limit": "3", "currency": "USD", **({"cursor": cursor} if cursor else {})}
        answer = (await _list(world, **parameters)).json()
        seen += [item["id"] for item in answer["items"]]
        assert len(seen) < 500, "the pages do not end"
        cursor = answer["next_cursor"]
        mover = dice.choice(moving)
        if dice.random() < 0.3:
            await shop.delete(mover)
        else:
            changed = _random_products(40)[dice.randrange(40)]
            prices = (variant(f"m-{mover.id}", f"{dice.randrange(5)}.00"),)
            await shop.store(
                product(
                    id=mover.id,
                    version=len(seen) + 2,
                    name=changed.name,
                    updated_at=changed.updated_at,
                    variants=prices,
                )
            )
    ids = {str(document.id) for document in steady}
    assert sorted(product_id for product_id in seen if product_id in ids) == sorted(ids)


async def test_a_page_stops_where_its_documents_would_be_too_large(world: World, shop: Shop) -> None:
    documents = [product(name=f"{number}", description="x" * 3_000_000) for number in range(3)]
    await shop.store(*documents)
    first = (await _list(world, sort="name")).json()
    assert [item["name"] for item in first["items"]] == ["0"]
    second = (await _list(world, sort="name", cursor=first["next_cursor"])).json()
    assert [item["name"] for item in second["items"]] == ["1"]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"), ("limit=201", "limit"), ("limit=x", "limit"), ("limit=", "limit"),
        ("sort=relevance", "sort"), ("sort=nonsense", "sort"),
        ("status=deleted", "status"), ("status=", "status"),
        ("price_min=1", "price_min"), ("price_max=1", "price_max"), ("sort=price", "currency"),
        ("sort=-price", "currency"), ("price_min=1.999&currency=USD", "price_min"),
        ("price_min=-1&currency=USD", "price_min"), ("price_max=1e3&currency=USD", "price_max"),
        ("currency=usd", "currency"), ("currency=ZZZ", "currency"), ("ids=1", "ids"), ("ids=", "ids"),
        ("updated_after=yesterday", "updated_after"), ("updated_after=0", "updated_after"),
        ("updated_after=2026-01-01T00:00:00", "updated_after"),
        ("updated_after=0001-01-01T00:00:00%2B14:00", "updated_after"),
        ("q=", "q"), ("q=%26", "q"), ("q=" + "+".join("abcdefghijklmnopq"), "q"), ("q=" + "x" * 256, "q"),
        ("fields=colour", "fields"), ("fields=", "fields"), ("fields=name,", "fields"),
        ("facets=colour", "facets"), ("facets=", "facets"), ("facets=attr.", "facets"),
        ("facets=price", "currency"), ("with_total=1", "with_total"), ("with_total=", "with_total"),
        ("attr.=blue", "attr."), ("attr.size.min=small", "attr.size.min"), ("attr.a=", "attr.a"),
        ("attr.a=1&attr.a=2", "attr.a"), ("attr.size.max=1e400", "attr.size.max"),
        ("q=a&sort=price", "currency"), ("surprise=1", "surprise"), ("brand=a&brand=b", "brand"),
        ("brand=%00", "brand"), ("cursor=abc", "cursor"), ("cursor=%C3%A4", "cursor"),
        ("cursor=", "cursor"),
        ("sku=" + "x" * 256, "sku"),
    ],
)  # fmt: skip
async def test_a_bad_parameter_is_400_by_its_name(world: World, query: str, parameter: str) -> None:
    answer = await world.served.get(f"/v1/products?{query}")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert f"/{parameter}" in [error["pointer"] for error in answer.json()["errors"]]
    assert parameter in answer.json()["detail"]


async def test_a_cursor_is_good_for_its_own_list_only(world: World, shop: Shop) -> None:
    await shop.store(*[product(brand="B") for _ in range(3)])
    cursor = (await _list(world, brand="B", limit=1)).json()["next_cursor"]
    assert (await _list(world, brand="B", limit=2, cursor=cursor)).status_code == 200
    for other in ({"brand": "C"}, {}, {"brand": "B", "sort": "name"}, {"brand": "B", "status": "draft"}):
        answer = await _list(world, cursor=cursor, **other)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/cursor")


@BY_TABLE
async def test_a_list_is_cached_until_its_generation_moves_on(world: World) -> None:
    await world.store(product(name="first", category="apparel/shirts"))
    first = await _list(world, category="apparel")
    await world.store(product(name="second", category="apparel"))
    second = await _list(world, category="apparel")
    await world.next_generation("apparel/hats")
    third = await _list(world, category="apparel")
    assert first.content == second.content != third.content
    assert [answer.headers["cache-status"] for answer in (first, second, third)] == [
        "catalogue; fwd=miss", "catalogue; hit", "catalogue; fwd=miss",
    ]  # fmt: skip
    assert second.headers["cache-control"] == "max-age=10"
    assert int(second.headers["age"]) <= 10
    assert second.headers["vary"] == "Consistency-Token"


@BY_TABLE
async def test_a_change_in_one_category_leaves_the_lists_of_others_cached(world: World) -> None:
    await _list(world, category="apparel")
    await _list(world, category="garden")
    await world.next_generation("garden/tools")
    assert (await _list(world, category="apparel")).headers["cache-status"] == "catalogue; hit"
    assert (await _list(world, category="garden")).headers["cache-status"] == "catalogue; fwd=miss"
    assert (await _list(world)).headers["cache-status"] == "catalogue; fwd=miss"


@BY_TABLE
async def test_the_same_filters_spelt_in_another_order_share_a_page(world: World) -> None:
    await _list(world, status="draft,active", brand="B")
    answer = await world.served.get("/v1/products?brand=B&status=active,draft")
    assert answer.headers["cache-status"] == "catalogue; hit"


async def test_a_head_of_a_list_has_the_headers_and_no_body(world: World, shop: Shop) -> None:
    await shop.store(product(), product())
    get, head = [await world.served.request(m, "/v1/products?limit=1") for m in ("GET", "HEAD")]
    assert head.content == b""
    for name in ("content-length", "content-type", "link", "cache-control", "vary"):
        assert head.headers[name] == get.headers[name]
