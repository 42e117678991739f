"""The list statements are static, with every filter optional; the plans must be those of written-out ones."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

import query_api
from query_api.postgres.custom_plans import with_custom_plans
from tests.servers import DatabaseDsns

SQL_FILES = {file.stem: file for file in Path(query_api.__file__).parent.rglob("*.sql")}
PRODUCTS = 5_000
SEED = """
INSERT INTO views.product_view
SELECT gen_random_uuid(), 1, i, (ARRAY['active', 'archived', 'draft'])[1 + i % 3], 's' || i, md5(i::text),
       'b' || i % 500, NULL, 'c' || i % 20 || '/' || i % 500,
       ARRAY['t' || i % 500], now(), now() + i * interval '1 second', 'x'
FROM generate_series(1, $1::int) AS i
"""
SEED_VARIANTS = """
INSERT INTO views.product_view_variant SELECT product_id, slug, 'USD', log_position FROM views.product_view
"""
FILTERS = {2, 3, 4, 5, 6}
USUAL: dict[int, Any] = {1: ["active"], 11: "-updated_at", 14: 51, 15: 4_000_000}


async def _plan(database: "asyncpg.Connection[asyncpg.Record]", parameters: dict[int, Any]) -> str:
    """The plan that a call gets; PREPARE and EXECUTE, because EXPLAIN itself takes no parameters."""
    given = {**USUAL, **parameters}
    if "price" in given[11]:
        name = "list_products_by_price"
    elif 8 in given:
        name = "list_products_in_currency"
    else:
        name = "list_products" if given.keys() & FILTERS else "list_products_by_status"
    return await _plan_of(database, name, [given.get(number) for number in range(1, 16)])


async def _plan_of(database: "asyncpg.Connection[asyncpg.Record]", name: str, values: list[Any]) -> str:
    await database.execute(f"PREPARE page AS {SQL_FILES[name].read_text()}")
    literals = ", ".join(map(_literal, values))
    rows = await database.fetch(f"EXPLAIN (FORMAT JSON) EXECUTE page({literals})")
    await database.execute("DEALLOCATE page")
    return json.dumps(json.loads(rows[0][0]))


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, list):
        return f"ARRAY[{', '.join(map(_literal, value))}]"
    return str(value).lower() if isinstance(value, int) else f"'{value}'"


@pytest.fixture
def after() -> dict[int, Any]:
    return {13: "01920000-0000-7000-8000-000000000000"}


async def test_each_list_walks_the_index_made_for_it(
    read_model_dsns: DatabaseDsns, after: dict[int, Any]
) -> None:
    owner = await asyncpg.connect(read_model_dsns.owner)
    await owner.execute(SEED.replace("$1::int", str(PRODUCTS)))
    await owner.execute(SEED_VARIANTS)
    await owner.execute("ANALYZE views.product_view, views.product_view_variant")
    await owner.close()
    reader = await asyncpg.connect(with_custom_plans(read_model_dsns.reader))
    for parameters, index, may_sort in (
        ({}, "product_view_status_updated", False),
        ({11: "updated_at"}, "product_view_status_updated", False),
        ({11: "name"}, "product_view_status_name", False),
        ({11: "-name"}, "product_view_status_name", False),
        ({11: "price", 8: "USD"}, "product_view_variant_price", False),
        ({11: "-price", 8: "USD"}, "product_view_variant_price", False),
        ({11: "name", 12: "5", **after}, "product_view_status_name", False),
        ({12: "2026-01-01", **after}, "product_view_status_updated", False),
        ({1: ["draft"], 11: "name"}, "product_view_status_name", False),
        ({1: ["active", "archived", "draft"]}, "product_view_status_updated", False),
        ({7: "2026-01-01", 11: "updated_at"}, "product_view_status_updated", False),
        ({11: "price", 8: "USD", 12: "50", **after}, "product_view_variant_price", False),
        ({3: "b7"}, "product_view_brand", True),
        ({4: "t7"}, "product_view_tags", True),
        ({2: "c7/7"}, "product_view_category", True),
        ({6: "s7"}, "product_view_variant_sku", True),
        ({8: "USD"}, "product_view_updated", False),
        ({8: "USD", 9: "10", 11: "name"}, "product_view_name", False),
        # Few products have such prices, so their prices come first.
        ({8: "EUR"}, "product_view_variant_price", True),
        ({8: "USD", 9: "4990"}, "product_view_variant_price", True),
        ({8: "USD", 9: "4990", 11: "price"}, "product_view_variant_price", True),
    ):
        plan = await _plan(reader, parameters)
        assert "SubPlan" not in plan, (parameters, plan)
        assert f'"Index Name": "{index}"' in plan, (parameters, plan)
        assert '"Seq Scan"' not in plan, (parameters, plan)
        # The pages of the statuses are sorted into one; a page itself is a walk.
        sorts_max = 1 if "status" in index else 0
        assert may_sort or plan.count('"Sort"') <= sorts_max, (parameters, plan)
    await reader.close()


SEED_REPORTS = """
INSERT INTO views.category_view_category
SELECT 'c' || i % 20, 1, 0, 0, 0, 1, 1, 1 FROM generate_series(1, 20) AS i;
INSERT INTO views.category_view_category
SELECT 'c' || i % 20 || '/' || i, 2, 1, 1, 1, 1, 1, 1 FROM generate_series(1, 5000) AS i;
INSERT INTO views.category_view_brand SELECT 'b' || i, 1, 1, 1 FROM generate_series(1, 5000) AS i;
INSERT INTO views.stock_item
SELECT 's' || i, ('00000000-0000-0000-0000-' || lpad((i % 500)::text, 12, '0'))::uuid, 'open', now(), NULL, i
FROM generate_series(1, 5000) AS i;
INSERT INTO views.analytics_change
SELECT '2026-01-01'::date + i % 365, sha256(i::text::bytea), 'c', 'b', 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1
FROM generate_series(1, 20000) AS i;
INSERT INTO views.analytics_price
SELECT '2026-01-01'::date + i % 365, sha256(i::text::bytea), 'EUR', 'c', 'b', 1, 1, 1, 1, 1
FROM generate_series(1, 20000) AS i;
ANALYZE;
"""
STATUSES = ["active"]


async def test_each_report_walks_the_index_made_for_it(read_model_dsns: DatabaseDsns) -> None:
    owner = await asyncpg.connect(read_model_dsns.owner)
    await owner.execute(SEED_REPORTS)
    await owner.close()
    reader = await asyncpg.connect(with_custom_plans(read_model_dsns.reader))
    days = ["2026-02-01", "2026-02-07", None, None, "category", False, None]
    for name, values, index, may_sort in (
        ("list_categories", [STATUSES, None, None, None, None, 51], "category_view_category_pkey", False),
        ("list_categories", [STATUSES, None, None, None, "c1/5", 51], "category_view_category_pkey", False),
        ("list_categories", [STATUSES, None, 1, None, None, 51], "category_view_category_depth", False),
        ("list_categories", [STATUSES, "c7", 2, None, None, 51], "category_view_category_depth", False),
        ("list_categories", [STATUSES, "c7", 2, None, "c7/9", 51], "category_view_category_depth", False),
        ("list_categories", [STATUSES, "c7", None, 3, None, 51], "category_view_category_pkey", False),
        ("list_brands", [STATUSES, "b7", 51], "category_view_brand_pkey", False),
        ("list_stock_items", ["s7", None, None, None, 51], "stock_item_pkey", False),
        ("list_stock_items", [None, None, "open", "s7", 51], "stock_item_pkey", False),
        ("list_stock_items", [None, str(UUID(int=7)), None, None, 51], "stock_item_product", True),
        ("report_changes", [*days, 51], "analytics_change_pkey", True),
        ("report_prices", [*days, None, 51, None], "analytics_price_pkey", True),
    ):
        plan = await _plan_of(reader, name, values)
        assert f'"Index Name": "{index}"' in plan, (name, values, plan)
        assert '"Seq Scan"' not in plan, (name, values, plan)
        assert may_sort or '"Sort"' not in plan, (name, values, plan)
    await reader.close()
