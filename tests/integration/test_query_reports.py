"""Categories, brands, stock items and analytics over HTTP: what they count, page by page, and refuse."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest

from shared.contract.consistency_token import ConsistencyToken, encode_token
from tests.integration.query_world import LOG_ID, START, TOPIC, World, shared_installation, world

__all__ = ["shared_installation", "world"]
DAY = START.date()
PATHS = ("/v1/categories", "/v1/brands", "/v1/inventory", "/v1/analytics/changes", "/v1/analytics/prices")
NO_CHANGES = {
    f"{name}": 0
    for name in (
        "products_created", "products_published", "products_archived", "products_restored",
        "products_deleted", "details_changed", "variants_added", "variants_changed", "variants_removed",
        "price_changes", "price_increases", "price_decreases",
    )
}  # fmt: skip


async def get(world: World, path: str, **parameters: Any) -> Any:
    answer = await world.served.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def all_pages(world: World, path: str, **parameters: Any) -> list[Any]:
    """By following the links; each page has a cursor in its body as well, or is the last."""
    items: list[Any] = []
    answer = await world.served.get(path, params=parameters)
    while True:
        page = answer.json()
        items += page["items"]
        assert len(items) < 1000, "the pages do not end"
        if "next" not in answer.links:
            assert page["next_cursor"] is None
            return items
        assert page["next_cursor"] in answer.links["next"]["url"]
        answer = await world.served.get(answer.links["next"]["url"])


async def count_category(world: World, path: str, own: Sequence[int], subtree: Sequence[int]) -> None:
    await world.database.execute(
        "INSERT INTO views.category_view_category VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        path, path.count("/") + 1, *own, *subtree,
    )  # fmt: skip


async def count_brand(world: World, brand: str, *counts: int) -> None:
    await world.database.execute(
        "INSERT INTO views.category_view_brand VALUES ($1, $2, $3, $4)", brand, *counts
    )


async def count_changes(
    world: World, day: date, category: str | None, brand: str | None, **counts: int
) -> None:
    await world.database.execute(
        "INSERT INTO views.analytics_change VALUES ($1, decode(md5($16), 'hex'), $2, $3, $4, $5, $6, $7, $8,"
        " $9, $10, $11, $12, $13, $14, $15)",
        day, category, brand, *{**NO_CHANGES, **counts}.values(), f"{category}|{brand}",
    )  # fmt: skip


async def count_prices(
    world: World, day: date, category: str | None, currency: str, moves: Sequence[int], log_ratio_sum: str
) -> None:
    await world.database.execute(
        "INSERT INTO views.analytics_price VALUES"
        " ($1, decode(md5($9), 'hex'), $2, $3, NULL, $4, $5, $6, $7, $8)",
        day, currency, category, *moves, Decimal(log_ratio_sum), str(category),
    )  # fmt: skip


async def open_item(world: World, sku: str, product_id: UUID, closed_at: datetime | None = None) -> None:
    await world.database.execute(
        "INSERT INTO views.stock_item VALUES ($1, $2, $3, $4, $5, 1)",
        sku, product_id, "closed" if closed_at else "open", START, closed_at,
    )  # fmt: skip


async def tree(world: World) -> None:
    await count_category(world, "apparel", (0, 1, 0), (1, 3, 1))
    await count_category(world, "apparel-2", (2, 0, 0), (2, 0, 0))
    await count_category(world, "apparel/men", (0, 0, 0), (1, 2, 1))
    await count_category(world, "apparel/men/shirts", (1, 2, 1), (1, 2, 1))
    await count_category(world, "apparel0", (0, 1, 0), (0, 1, 0))
    await count_category(world, "home", (0, 0, 4), (0, 0, 4))


async def test_a_category_is_told_with_its_own_products_and_those_below_it(world: World) -> None:
    await tree(world)
    page = await get(world, "/v1/categories", parent="apparel")
    assert page == {
        "items": [
            {
                "category": "apparel/men", "name": "men", "parent": "apparel", "depth": 2,
                "products": 0, "products_in_subtree": 2,
                "by_status": {"draft": 0, "active": 0, "archived": 0},
                "by_status_in_subtree": {"draft": 1, "active": 2, "archived": 1},
            }
        ],
        "next_cursor": None,
    }  # fmt: skip


async def test_a_category_at_the_top_has_no_parent(world: World) -> None:
    await tree(world)
    (first, _) = (await get(world, "/v1/categories", depth=1))["items"]
    assert (first["category"], first["name"], first["parent"]) == ("apparel", "apparel", None)


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({}, ["apparel 1/3", "apparel/men 0/2", "apparel/men/shirts 2/2", "apparel0 1/1"]),
        ({"status": "draft"}, ["apparel 0/1", "apparel-2 2/2", "apparel/men 0/1", "apparel/men/shirts 1/1"]),
        ({"status": "archived,active", "depth": 1}, ["apparel 1/4", "apparel0 1/1", "home 4/4"]),
        ({"depth": 2}, ["apparel 1/3", "apparel/men 0/2", "apparel0 1/1"]),
        ({"parent": "apparel"}, ["apparel/men 0/2"]),
        ({"parent": "apparel", "depth": 2}, ["apparel/men 0/2", "apparel/men/shirts 2/2"]),
        ({"parent": "apparel/men"}, ["apparel/men/shirts 2/2"]),
        ({"parent": "nowhere"}, []),
    ],
)
async def test_categories_are_narrowed_by_status_parent_and_depth(
    world: World, parameters: dict[str, Any], found: list[str]
) -> None:
    await tree(world)
    page = await get(world, "/v1/categories", **parameters)
    assert [
        f"{one['category']} {one['products']}/{one['products_in_subtree']}" for one in page["items"]
    ] == found


async def test_brands_are_told_with_their_products_by_status(world: World) -> None:
    for brand, counts in (("B", (1, 2, 3)), ("a", (0, 0, 1)), ("ä / %", (0, 1, 0))):
        await count_brand(world, brand, *counts)
    page = await get(world, "/v1/brands")
    assert page["items"] == [
        {"brand": "B", "products": 2, "by_status": {"draft": 1, "active": 2, "archived": 3}},
        {"brand": "ä / %", "products": 1, "by_status": {"draft": 0, "active": 1, "archived": 0}},
    ]
    page = await get(world, "/v1/brands", status="archived,draft")
    assert [(one["brand"], one["products"]) for one in page["items"]] == [("B", 4), ("a", 1)]


async def test_stock_items_are_told_by_sku_product_and_state(world: World) -> None:
    one, other, closed_at = UUID(int=1), UUID(int=2), START + timedelta(days=1)
    await open_item(world, "S-1", one)
    await open_item(world, "S-2", one, closed_at)
    await open_item(world, "A/B ä", other)
    assert await get(world, "/v1/inventory", product_id=one, state="closed") == {
        "items": [
            {
                "sku": "S-2", "product_id": str(one), "state": "closed",
                "opened_at": "2026-01-01T00:00:00Z", "closed_at": "2026-01-02T00:00:00Z",
            }
        ],
        "next_cursor": None,
    }  # fmt: skip
    for parameters, skus in (
        ({}, ["A/B ä", "S-1", "S-2"]), ({"sku": "A/B ä"}, ["A/B ä"]), ({"sku": "s-1"}, []),
        ({"state": "open"}, ["A/B ä", "S-1"]), ({"product_id": one}, ["S-1", "S-2"]),
    ):  # fmt: skip
        page = await get(world, "/v1/inventory", **parameters)
        assert [item["sku"] for item in page["items"]] == skus, parameters


async def changes(world: World) -> None:
    await count_changes(world, DAY, "apparel", "B", products_created=2, details_changed=1)
    await count_changes(world, DAY, "apparel/men", None, products_created=1, price_changes=4)
    await count_changes(world, DAY + timedelta(days=1), "apparel2", "B", products_deleted=1)
    await count_changes(world, DAY + timedelta(days=3), None, None, products_created=5)


RANGE = {"from": "2026-01-01", "to": "2026-01-31"}


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({}, [("2026-01-01", 3, 0), ("2026-01-02", 0, 1), ("2026-01-04", 5, 0)]),
        (
            {"group_by": "category"},
            [("apparel", 2, 0), ("apparel/men", 1, 0), ("apparel2", 0, 1), (None, 5, 0)],
        ),
        ({"group_by": "brand"}, [("B", 2, 1), (None, 6, 0)]),
        ({"category": "apparel"}, [("2026-01-01", 3, 0)]),
        ({"category": "apparel", "brand": "B"}, [("2026-01-01", 2, 0)]),
        ({"brand": "B", "group_by": "category"}, [("apparel", 2, 0), ("apparel2", 0, 1)]),
        ({"from": "2026-01-02", "to": "2026-01-03"}, [("2026-01-02", 0, 1)]),
        ({"from": "2025-01-01", "to": "2025-12-31"}, []),
    ],
)
async def test_changes_are_summed_up_by_what_is_asked_for(
    world: World, parameters: dict[str, str], found: list[Any]
) -> None:
    await changes(world)
    report = await get(world, "/v1/analytics/changes", **{**RANGE, **parameters})
    by = parameters.get("group_by", "day")
    assert report["group_by"] == by
    assert [
        (item[by], item["products_created"], item["products_deleted"]) for item in report["items"]
    ] == found


async def test_a_report_says_its_days_and_every_kind_of_change(world: World) -> None:
    numbers = {name: number for number, name in enumerate(NO_CHANGES, start=1)}
    await count_changes(world, DAY, "apparel", None, **numbers)
    assert await get(world, "/v1/analytics/changes", **RANGE) == {
        **RANGE, "group_by": "day", "items": [{"day": "2026-01-01", **numbers}], "next_cursor": None,
    }  # fmt: skip


async def test_without_days_a_report_is_of_the_last_thirty_and_ends_today(world: World) -> None:
    today = datetime.now(UTC).date()
    for back in (0, 29, 30):
        await count_changes(world, today - timedelta(days=back), "a", None, products_created=1)
    report = await get(world, "/v1/analytics/changes", group_by="brand")
    assert (report["from"], report["to"]) == (str(today - timedelta(days=29)), str(today))
    assert report["items"][0]["products_created"] == 2


async def test_moves_of_prices_are_averaged_by_their_ratios(world: World) -> None:
    # Doubled and halved; 10 % up, beside one from 0, which has no ratio.
    await count_prices(world, DAY, "apparel", "EUR", (2, 1, 1, 2), "0")
    await count_prices(world, DAY, None, "USD", (2, 2, 0, 1), "0.095310179804")
    await count_prices(world, DAY + timedelta(days=1), None, "USD", (1, 0, 0, 0), "0")
    report = await get(world, "/v1/analytics/prices", **RANGE)
    counts = ("price_changes", "price_increases", "price_decreases", "compared", "average_relative_change")
    found = [(item["day"], item["currency"], *(item[name] for name in counts)) for item in report["items"]]
    assert found == [
        ("2026-01-01", "EUR", 2, 1, 1, 2, 0.0), ("2026-01-01", "USD", 2, 2, 0, 1, 0.1),
        ("2026-01-02", "USD", 1, 0, 0, 0, None),
    ]  # fmt: skip
    report = await get(world, "/v1/analytics/prices", **RANGE, group_by="category", currency="USD")
    assert [(item["category"], item["price_changes"]) for item in report["items"]] == [(None, 3)]


@pytest.mark.parametrize("limit", [1, 2, 7])
async def test_every_list_gives_each_item_once_and_in_order_whatever_the_page(
    world: World, limit: int
) -> None:
    names = ["Z", "a", "a-1", "a/b", "a/b/c", "b", "ä"]
    for number, name in enumerate(names):
        await count_category(world, name, (0, 1, 0), (0, 1, 0))
        await count_brand(world, name, 0, 1, 0)
        await open_item(world, name, UUID(int=number))
        for days in range(3):
            await count_changes(world, DAY + timedelta(days=days), name, name, products_created=1)
        for currency in ("EUR", "USD"):
            await count_prices(world, DAY, name, currency, (1, 1, 0, 1), "0")
    await count_changes(world, DAY, None, None, products_created=1)
    for currency in ("EUR", "USD"):
        await count_prices(world, DAY, None, currency, (1, 1, 0, 1), "0")
    ordered = sorted(names, key=str.encode)
    for path, key in (("/v1/categories", "category"), ("/v1/brands", "brand"), ("/v1/inventory", "sku")):
        assert [item[key] for item in await all_pages(world, path, limit=limit)] == ordered
    for by, groups in (("category", [*ordered, None]), ("day", ["2026-01-01", "2026-01-02", "2026-01-03"])):
        found = await all_pages(world, "/v1/analytics/changes", **RANGE, limit=limit, group_by=by)
        assert [item[by] for item in found] == groups
        assert sum(item["products_created"] for item in found) == 22
    found = await all_pages(world, "/v1/analytics/prices", **RANGE, limit=limit)
    assert [(item["currency"], item["price_changes"]) for item in found] == [("EUR", 8), ("USD", 8)]
    found = await all_pages(world, "/v1/analytics/prices", **RANGE, limit=limit, group_by="category")
    assert [(item["category"], item["currency"]) for item in found] == [
        (name, currency) for name in [*ordered, None] for currency in ("EUR", "USD")
    ]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        *((f"{path}?surprise=1", "surprise") for path in PATHS),
        *((f"{path}?limit=0", "limit") for path in PATHS),
        *((f"{path}?limit=201", "limit") for path in PATHS),
        *((f"{path}?cursor=abc", "cursor") for path in PATHS),
        *((f"{path}?limit=1&limit=2", "limit") for path in PATHS),
        ("/v1/categories?parent=", "parent"), ("/v1/categories?parent=%00", "parent"),
        ("/v1/categories?depth=0", "depth"), ("/v1/categories?depth=257", "depth"),
        ("/v1/categories?status=deleted", "status"), ("/v1/brands?status=", "status"),
        ("/v1/brands?parent=a", "parent"), ("/v1/inventory?state=gone", "state"),
        ("/v1/inventory?product_id=1", "product_id"), ("/v1/inventory?sku=", "sku"),
        ("/v1/analytics/changes?from=yesterday", "from"), ("/v1/analytics/changes?from=0", "from"),
        ("/v1/analytics/changes?from=2026-02-30", "from"), ("/v1/analytics/changes?to=2026-1-1", "to"),
        ("/v1/analytics/changes?to=2026-01-01T00:00:00Z", "to"),
        ("/v1/analytics/changes?from_day=2026-01-01", "from_day"),
        ("/v1/analytics/changes?from=2026-01-02&to=2026-01-01", "from"),
        ("/v1/analytics/changes?from=2025-01-01&to=2026-01-02", "from"),
        ("/v1/analytics/changes?from=9999-01-01", "from"),
        ("/v1/analytics/changes?group_by=week", "group_by"),
        ("/v1/analytics/changes?currency=EUR", "currency"), ("/v1/analytics/changes?brand=", "brand"),
        ("/v1/analytics/prices?currency=eur", "currency"), ("/v1/analytics/prices?currency=ZZZ", "currency"),
    ],
)  # fmt: skip
async def test_a_bad_parameter_is_400_by_its_name(world: World, query: str, parameter: str) -> None:
    answer = await world.served.get(query)
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert f"/{parameter}" in [error["pointer"] for error in answer.json()["errors"]]


async def test_a_report_of_a_whole_leap_year_is_not_too_long(world: World) -> None:
    assert (await get(world, "/v1/analytics/changes", **{"from": "2028-01-01", "to": "2028-12-31"}))[
        "items"
    ] == []
    assert (await get(world, "/v1/analytics/prices", to="0001-01-03"))["from"] == "0001-01-01"


async def test_a_cursor_is_good_for_its_own_list_only(world: World) -> None:
    for name in ("a", "b"):
        await count_category(world, name, (0, 1, 0), (0, 1, 0))
        await count_brand(world, name, 0, 1, 0)
        await count_changes(world, DAY, name, name, products_created=1)
        await count_prices(world, DAY, name, "EUR", (1, 1, 0, 1), "0")
    cursor = (await get(world, "/v1/categories", limit=1))["next_cursor"]
    for path, parameters in (
        ("/v1/categories", {"status": "draft"}), ("/v1/categories", {"depth": 1}), ("/v1/brands", {}),
        ("/v1/inventory", {}), ("/v1/products", {}), ("/v1/analytics/changes", {}),
    ):  # fmt: skip
        answer = await world.served.get(path, params={**parameters, "cursor": cursor})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/cursor"), path
    by_brand = {**RANGE, "group_by": "brand", "limit": 1}
    cursor = (await get(world, "/v1/analytics/changes", **by_brand))["next_cursor"]
    answer = await world.served.get("/v1/analytics/prices", params={**by_brand, "cursor": cursor})
    assert answer.status_code == 400


@pytest.mark.parametrize("path", PATHS)
async def test_a_head_has_the_headers_and_no_body_and_nothing_is_kept_unasked(
    world: World, path: str
) -> None:
    head, seen = [await world.served.request(method, path) for method in ("HEAD", "GET")]
    assert head.content == b""
    assert seen.headers["cache-control"] == "no-cache"
    for name in ("content-length", "content-type", "cache-control"):
        assert head.headers[name] == seen.headers[name]
    assert (await world.served.post(path)).status_code == 405


@pytest.mark.parametrize(
    ("path", "projection"),
    list(zip(PATHS, ("category_view", "category_view", "inventory", "analytics", "analytics"), strict=True)),
)
async def test_a_read_with_a_token_waits_for_the_projection_that_it_reads(
    world: World, path: str, projection: str
) -> None:
    headers = {"consistency-token": encode_token(ConsistencyToken({3: 7})), "prefer": "wait=0"}

    async def reach(name: str) -> None:
        sql = "INSERT INTO views.projection_checkpoint VALUES ($1, $2, 3, 1, 7, $3)"
        await world.database.execute(sql, name, TOPIC, LOG_ID)

    async def read(wait: int) -> httpx.Response:
        return await world.served.get(path, headers={**headers, "prefer": f"wait={wait}"})

    await reach("product_view")
    answer = await read(0)
    assert (answer.status_code, answer.json()["code"]) == (503, "read-model-behind")
    waiting = asyncio.create_task(read(10))
    await reach(projection)
    assert (await waiting).status_code == 200
