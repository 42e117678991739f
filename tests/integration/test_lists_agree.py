"""A list is the same, page by page, whether the table answers it or the search index."""

import asyncio
import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from query_api.postgres.pools import bounded
from query_api.products.ports import ListFilters, PagePosition, Sort
from query_api.products.postgres.product_lists import PostgresProductLists
from query_api.search.query import HitPosition, SearchFilters, SearchQuery
from shared.contract.views import ProductDocument
from tests.any_search import documents, queries
from tests.integration.query_world import START, Installation, installation, product, variant
from tests.searching import TantivyCatalogue
from tests.servers import DatabaseDsns

Pages = Sequence[Sequence[UUID]]
SORTS: tuple[Sort, ...] = get_args(Sort)
PAGES_MAX = 100


class BothSides:
    """The table and an embedded index with the same products."""

    def __init__(self, shared: Installation, runner: asyncio.Runner) -> None:
        self._installation = shared
        self._runner = runner
        self._table = PostgresProductLists(
            bounded("products", shared.api.products, shared.settings), page_bytes_max=1_000_000
        )

    def hold(self, stored: Sequence[ProductDocument], index: TantivyCatalogue) -> None:
        self._runner.run(self._store(stored))
        # In two segments.
        index.put(*stored[::2])
        index.put(*stored[1::2])

    def of_table(self, filters: ListFilters, items_max: int) -> Pages:
        return self._runner.run(self._walk_table(filters, items_max))

    def of_index(self, filters: ListFilters, items_max: int, index: TantivyCatalogue) -> Pages:
        return self._runner.run(_walk_index(filters, items_max, index))

    async def _store(self, stored: Sequence[ProductDocument]) -> None:
        await self._installation.empty()
        async with self._installation.world() as world:
            for document in stored:
                await world.store(document)

    async def _walk_table(self, filters: ListFilters, items_max: int) -> Pages:
        pages: list[Sequence[UUID]] = []
        after: PagePosition | None = None
        while rows := await self._table.page(filters, after, items_max):
            pages.append([row.position.product_id for row in rows])
            after = rows[-1].position
            assert len(pages) < PAGES_MAX
        return pages


async def _walk_index(filters: ListFilters, items_max: int, index: TantivyCatalogue) -> Pages:
    pages: list[Sequence[UUID]] = []
    after: HitPosition | None = None
    same = SearchFilters(**structs.asdict(filters))
    while hits := (await index.engine.search(SearchQuery(same, after, items_max))).hits:
        pages.append([hit.product_id for hit in hits])
        after = hits[-1].position
        assert len(pages) < PAGES_MAX
    return pages


@pytest.fixture(scope="module")
def both_sides(read_model_of_module: DatabaseDsns, redis_url_of_module: str) -> Iterator[BothSides]:
    async def opened(stack: AsyncExitStack) -> Installation:
        return await stack.enter_async_context(
            installation(read_model_of_module, redis_url_of_module, search="off")
        )

    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        yield BothSides(runner.run(opened(stack)), runner)
        runner.run(stack.aclose())


def _catalogue() -> list[ProductDocument]:
    """Few different values of each field, so that every pair of filters finds some, and ties are the rule."""
    dice = random.Random(3)
    return [
        product(
            name=dice.choice(["a", "B", "ä", "aa", "a b", "\U0001f600", "Z"]),
            status=dice.choice(["active", "active", "active", "draft", "archived"]),
            brand=dice.choice([None, "Wren", "Hearth"]),
            category=dice.choice([None, "a", "a/b", "a/b/c", "ab", "a0"]),
            tags=tuple(dice.sample(["new", "men", "sale"], dice.randrange(3))),
            updated_at=START + timedelta(seconds=dice.randrange(3), microseconds=dice.randrange(3)),
            variants=tuple(
                variant(
                    f"{number}-{n}", dice.choice(["1", "1.50", "20", "20.01"]), dice.choice(["USD", "EUR"])
                )
                for n in range(dice.randrange(1, 4))
            ),
        )
        for number in range(120)
    ]


def _filters(stored: Sequence[ProductDocument]) -> Sequence[dict[str, Any]]:
    return [
        {"category": "a"}, {"category": "a/b"}, {"brand": "Wren"}, {"brand": "Nobody"}, {"tag": "new"},
        {"statuses": ("draft",)}, {"statuses": ("active", "archived", "draft")},
        {"product_ids": tuple(sorted(one.id for one in stored[:40]))}, {"sku": "7-0"},
        {"updated_after": START + timedelta(seconds=1, microseconds=1)},
        {"updated_after": START + timedelta(days=1)}, {"currency": "EUR"}, {"currency": "JPY"},
        {"currency": "USD", "price_min": Decimal("1.5")}, {"currency": "USD", "price_max": Decimal("20.00")},
    ]  # fmt: skip


@pytest.mark.parametrize("sort", SORTS)
def test_each_pair_of_filters_makes_the_same_pages(both_sides: BothSides, sort: Sort, tmp_path: Path) -> None:
    stored = _catalogue()
    index = TantivyCatalogue(tmp_path)
    both_sides.hold(stored, index)
    filters = _filters(stored)
    found = 0
    for one, other in [*((each, {}) for each in [{}, *filters]), *combinations(filters, 2)]:
        chosen = {"currency": "USD", **one, **other} if sort.endswith("price") else {**one, **other}
        listed = ListFilters(**chosen, sort=sort)
        pages = both_sides.of_table(listed, 7)
        assert both_sides.of_index(listed, 7, index) == pages, listed
        found += len(pages)
    assert found > 100
    index.close()


@given(stored=st.lists(documents(), max_size=8, unique_by=lambda one: one.id), asked=queries())
@settings(deadline=None, max_examples=25)
def test_any_catalogue_makes_the_same_pages(
    both_sides: BothSides, stored: list[ProductDocument], asked: SearchQuery
) -> None:
    given_filters = structs.asdict(asked.filters)
    sort = given_filters["sort"] if given_filters["sort"] in SORTS else "-updated_at"
    chosen = {name: given_filters[name] for name in ListFilters.__struct_fields__ if name != "sort"}
    filters = ListFilters(**chosen, sort=sort)
    with tempfile.TemporaryDirectory() as folder:
        index = TantivyCatalogue(Path(folder))
        both_sides.hold(stored, index)
        assert both_sides.of_index(filters, 3, index) == both_sides.of_table(filters, 3)
        index.close()
