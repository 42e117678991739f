"""Counts by value. Each ignores the filter on the same thing, so that a reader sees what else could be
chosen.

All facets without a filter of their own are one aggregation; each other one needs one more. The counts are
exact: one process has the whole index, and no bucket is cut before it is counted.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import tantivy

from query_api.search.query import FacetRange, Facets, FacetValue, SearchQuery
from query_api.search.tantivy import schema as s
from query_api.search.tantivy.counting import Column, Counts, count_all, count_values
from query_api.search.tantivy.filters import OTHER, PRICE, Filter, all_of, one_of
from query_api.search.tantivy.index import Snapshot
from shared.contract.money import minor_units
from shared.search.entry import attribute_prefix, facts_like, value_of_fact
from shared.search.price_ranges import SCALE, price_range

VALUES_MAX = 100
"""How many values a facet has, besides the chosen one."""
CATEGORIES_MAX = 2_000
_ATTRIBUTE = "attr."
_FIELDS = {"brand": s.BRAND, "category": s.CATEGORY, "tag": s.TAG, "status": s.STATUS}


def facets_of(
    query: SearchQuery, filters: Sequence[Filter], text: tantivy.Query | None, snapshot: Snapshot
) -> tuple[Facets, int]:
    """The facets that the query names, and the number of all that match it; 0 if it was not asked for."""
    filtered = {name for name, _ in filters}
    together = [name for name in query.facets if name not in filtered]
    groups = [together, *([name] for name in query.facets if name in filtered)]
    counts: dict[str, Counts] = {}
    matching: dict[str, tantivy.Query] = {}
    total = 0
    for group in groups:
        with_total = query.with_total and group is together
        if group or with_total:
            own = _matching(group[0] if group else OTHER, query, filters, text, snapshot)
            columns = [_column(name, query.filters.currency) for name in group]
            found, counted = count_values(own, columns, snapshot, with_total=with_total)
            total = counted if with_total else total
            counts |= dict(zip(group, found, strict=True))
            matching |= dict.fromkeys(group, own)
    values = {
        name: _values(name, found, query, matching[name], snapshot)
        for name, found in counts.items()
        if name != PRICE
    }
    ranges = _ranges(counts[PRICE].products, query.filters.currency) if PRICE in counts else None
    return Facets(values, ranges), total


def _matching(
    facet: str,
    query: SearchQuery,
    filters: Sequence[Filter],
    text: tantivy.Query | None,
    snapshot: Snapshot,
) -> tantivy.Query:
    """All filters but the facet's own; of statuses those that the reader may know of."""
    queries = [one for name, one in filters if name != facet or name == OTHER]
    if facet == "status":
        queries.append(one_of(snapshot, s.STATUS, query.visible_statuses))
    return all_of(queries if text is None else [*queries, text])


def _column(facet: str, currency: str | None) -> Column:
    if facet in _FIELDS:
        return Column(_FIELDS[facet])
    if facet == PRICE:
        assert currency is not None, "counts of prices need a currency"
        return Column(s.PRICE_RANGE, currency.lower())
    return Column(s.ATTRIBUTE, attribute_prefix(_attribute(facet)))


def _attribute(facet: str) -> str:
    return facet.removeprefix(_ATTRIBUTE)


def _values(
    facet: str, counts: Counts, query: SearchQuery, matching: tantivy.Query, snapshot: Snapshot
) -> Sequence[FacetValue]:
    """The most frequent values, equal ones by name, and the chosen one, even if its count is 0."""
    products = _shown_values(facet, counts.products)
    ordered = sorted(products, key=lambda value: (-products[value], value))
    shown = ordered[: CATEGORIES_MAX if facet == "category" else VALUES_MAX]
    missing = [value for value in _chosen(facet, query) if value not in shown]
    if counts.is_cut:
        products |= {value: _count_one(facet, value, matching, snapshot) for value in missing}
    return [FacetValue(value, products.get(value, 0)) for value in (*shown, *missing)]


def _shown_values(facet: str, stored: Mapping[str, int]) -> dict[str, int]:
    """A number and a text may be written in the same way: one filter finds both."""
    if not facet.startswith(_ATTRIBUTE):
        return dict(stored)
    products: dict[str, int] = {}
    for fact, count in stored.items():
        value = value_of_fact(fact)
        products[value] = products.get(value, 0) + count
    return products


def _count_one(facet: str, value: str, matching: tantivy.Query, snapshot: Snapshot) -> int:
    if facet in _FIELDS:
        return count_all(all_of([matching, one_of(snapshot, _FIELDS[facet], [value])]), snapshot)
    facts = facts_like(_attribute(facet), value)
    return count_all(all_of([matching, one_of(snapshot, s.ATTRIBUTE, facts)]), snapshot)


def _chosen(facet: str, query: SearchQuery) -> Sequence[str]:
    filters = query.filters
    if facet == "status":
        return [status for status in filters.statuses if status in query.visible_statuses]
    if facet in _FIELDS:
        value = {"brand": filters.brand, "category": filters.category, "tag": filters.tag}[facet]
        return () if value is None else (value,)
    name = _attribute(facet)
    wanted = [each.value for each in filters.attributes if each.name == name and each.value is not None]
    return [value_of_fact(facts_like(name, value)[-1]) for value in wanted]


def _ranges(products: Mapping[str, int], currency: str | None) -> Sequence[FacetRange]:
    """In the order of prices. The last price of a range is the smallest amount below the next one."""
    assert currency is not None, "counts of prices need a currency"
    numbers = sorted((int(value[len(currency) :]), count) for value, count in products.items())
    return [_range(number, count, currency) for number, count in numbers]


def _range(number: int, count: int, currency: str) -> FacetRange:
    lowest, below = price_range(number)
    smallest = Decimal(1).scaleb(-minor_units(currency))
    highest = None if below is None else (Decimal(below) / SCALE - smallest).quantize(smallest)
    return FacetRange((Decimal(lowest) / SCALE).quantize(smallest), highest, count)
