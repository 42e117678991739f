"""Pages in order of a large index, which are looked for along the order instead of among all that match."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import pytest
import tantivy

from query_api.search.query import SearchFilters, SearchQuery
from query_api.search.tantivy.walk import LOOKED_AT_MIN, Walk
from shared.contract.views import ProductDocument
from shared.search.entry import entry_of
from tests.integration.query_world import START, product, variant
from tests.searching import TantivyCatalogue

COUNT = 24_000
PRICED = {"currency": "USD"}
LATE = START + timedelta(milliseconds=COUNT * 39 // 40 // 40)
"""The last fortieth of the products are later."""
ORDERS = ("name", "-name", "id", "-id", "updated_at", "-updated_at", "price", "-price")
FILTERS: Mapping[str, Mapping[str, Any]] = {
    "all": {},
    "half of them, everywhere": {"brand": "Even"},
    "the last half": {"category": "late"},
    "the middle": {"category": "middle"},
    "a few, everywhere": {"tag": "rare"},
    "two filters": {"brand": "Even", "category": "late"},
    "a highest price": {"brand": "Even", "price_max": Decimal("30"), **PRICED},
    "both prices": {"price_min": Decimal("10"), "price_max": Decimal("30"), **PRICED},
    "one status": {"statuses": ("draft",)},
}


class Large(NamedTuple):
    """An index, and its products by what sorts them."""

    catalogue: TantivyCatalogue
    documents: list[ProductDocument]


def documents(chance: random.Random) -> Iterator[ProductDocument]:
    """Many have the same beginning of their names, the same price, the same time and the same first half of
    the id.
    """
    halves = [chance.getrandbits(64) for _ in range(300)]
    for number in range(COUNT):
        is_last_half = number >= COUNT // 2
        yield product(
            id=UUID(int=chance.choice(halves) << 64 | chance.getrandbits(64)),
            status="draft" if number % 7 == 0 else "active",
            name=f"{'ZY'[is_last_half]}arn of wool {number % 997}",
            brand="Odd" if number % 2 else "Even",
            category="late" if is_last_half else "middle" if number > COUNT // 3 else "early",
            tags=("rare",) if number % 500 == 0 else (),
            attributes={},
            variants=(variant(f"S{number}", f"{number % 50}.00", "EUR" if number % 5 == 0 else "USD"),),
            updated_at=START + timedelta(milliseconds=number // 40),
        )


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Large]:
    catalogue = TantivyCatalogue(tmp_path_factory.mktemp("large"))
    made = list(documents(random.Random(5)))
    for start in range(0, COUNT, COUNT // 3):
        catalogue.put(*made[start : start + COUNT // 3])
    yield Large(catalogue, made)
    catalogue.close()


@pytest.fixture
def walks(monkeypatch: pytest.MonkeyPatch) -> "Counter[bool]":
    """How many pages had a bound, and how many had none."""
    counted: Counter[bool] = Counter()
    bound = Walk.bound

    def counting(self: Walk, *arguments: Any) -> tantivy.Query | None:
        found = bound(self, *arguments)
        counted[found is not None] += 1
        return found

    monkeypatch.setattr(Walk, "bound", counting)
    return counted


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("chosen", FILTERS)
async def test_pages_along_an_order_have_each_product_once_and_in_its_place(
    large: Large, order: str, chosen: str
) -> None:
    filters = SearchFilters(**{**(PRICED if "price" in order else {}), **FILTERS[chosen], "sort": order})
    expected = [one.id for one in sorted_by(order, (one for one in large.documents if meets(one, filters)))]
    found: list[UUID] = []
    after = None
    # The first pages, and pages far behind them.
    for hits_max in (1, 20, 51, len(expected) // 2 or 1, 20, 7):
        page = (await large.catalogue.engine.search(SearchQuery(filters, after, hits_max))).hits
        found += [hit.product_id for hit in page]
        after = page[-1].position if page else after
    assert found == expected[: len(found)]
    assert len(found) == min(len(expected), 99 + (len(expected) // 2 or 1))


async def test_a_broad_list_has_a_bound_and_a_narrow_one_has_none(
    large: Large, walks: "Counter[bool]"
) -> None:
    for filters, has_bound in (
        (SearchFilters(sort="-updated_at"), True),
        (SearchFilters(sort="name"), True),
        (SearchFilters(brand="Even", sort="-updated_at"), True),
        (SearchFilters(category="late", sort="-updated_at"), True),
        (SearchFilters(category="late", updated_after=LATE, sort="updated_at"), False),
        (SearchFilters(tag="rare", sort="name"), False),
        (SearchFilters(category="middle", sort="name"), False),
    ):
        walks.clear()
        await large.catalogue.engine.search(SearchQuery(filters, None, 21))
        assert walks == {has_bound: 1}, filters
    assert sum(one.category == "middle" for one in large.documents) < LOOKED_AT_MIN


async def test_a_page_is_whole_if_too_few_match_up_to_its_bound(
    large: Large, walks: "Counter[bool]", monkeypatch: pytest.MonkeyPatch
) -> None:
    filters = SearchFilters(brand="Even", sort="-updated_at")
    expected = [one.id for one in sorted_by("-updated_at", large.documents) if meets(one, filters)]
    # Each product of the sample stands for fewer than a page needs.
    monkeypatch.setattr("query_api.search.tantivy.walk._SPARE", 0.0)
    monkeypatch.setattr("query_api.search.tantivy.walk._SPARE_SAMPLES", 1)
    page = (await large.catalogue.engine.search(SearchQuery(filters, None, 900))).hits
    assert [hit.product_id for hit in page] == expected[:900]
    assert walks == {True: 1}


async def test_an_end_that_is_known_from_another_commit_is_only_a_hint(
    large: Large, walks: "Counter[bool]"
) -> None:
    filters = SearchFilters(category="late", sort="-updated_at")
    expected = [one.id for one in sorted_by("-updated_at", large.documents) if meets(one, filters)]
    ends = large.catalogue.index.snapshot.known_ends
    for hits_max, end in ((20, None), (21, 1 << 62), (22, 1)):
        query = SearchQuery(filters, None, hits_max)
        found = (await large.catalogue.engine.search(query)).hits
        known = [asked for asked in ends if asked[0] == filters]
        assert known, "nothing was kept"
        ends.update(dict.fromkeys(known, end))
        # Another limit, so that the answer is not a kept one, and as many samples.
        again = (await large.catalogue.engine.search(query._replace(hits_max=hits_max + 5))).hits
        assert [hit.product_id for hit in found] == expected[:hits_max]
        assert [hit.product_id for hit in again] == expected[: hits_max + 5]
    ends.clear()
    assert walks[True] >= 3
    assert walks[False] >= 1


def meets(one: ProductDocument, filters: SearchFilters) -> bool:
    """Of the filters above."""
    (price,) = [each.price for each in one.variants]
    amount = Decimal(price.amount)
    return (
        one.status in filters.statuses
        and filters.brand in (None, one.brand)
        and filters.category in (None, one.category)
        and (filters.tag is None or filters.tag in one.tags)
        and filters.currency in (None, price.currency)
        and (filters.price_min is None or amount >= filters.price_min)
        and (filters.price_max is None or amount <= filters.price_max)
    )


def sorted_by(
    order: str, found: "Iterator[ProductDocument] | list[ProductDocument]"
) -> list[ProductDocument]:
    """By the sort keys that all engines share."""
    name = order.removeprefix("-")

    def key(one: ProductDocument) -> str:
        keys = entry_of(one).sort_keys
        return {
            "name": keys.name, "id": keys.product_id, "updated_at": keys.updated_at,
            "price": keys.cheapest.get("USD", ""),
        }[name]  # fmt: skip

    return sorted(found, key=key, reverse=order.startswith("-"))
