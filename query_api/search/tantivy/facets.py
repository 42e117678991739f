"""Counts by value. Each ignores the filter on the same thing, so that a reader sees what else could be
chosen.

All facets without a filter of their own are one aggregation; each other one needs one more. The counts are
exact: one process has the whole index, and no bucket is cut before it is counted.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import tantivy

from query_api.search.query import FacetRange, Facets, FacetValue, SearchQuery
from query_api.search.tantivy import schema as s
from query_api.search.tantivy.counting import BUCKETS_MAX, counts
from query_api.search.tantivy.filters import OTHER, PRICE, Filter, all_of
from query_api.search.tantivy.index import Snapshot
from shared.contract.money import minor_units
from shared.search.entry import attribute_prefix, facts_like, value_of_fact
from shared.search.price_ranges import SCALE, price_range

VALUES_MAX = 100
"""How many values a facet has, besides the chosen one."""
CATEGORIES_MAX = 2_000
_ATTRIBUTE = "attr."
_FIELDS = {"brand": s.BRAND, "category": s.CATEGORY, "tag": s.TAG, "status": s.STATUS}


class _Counted(NamedTuple):
    """`prefix` None: all values of the field."""

    field: str
    prefix: str | None


def facets_of(
    query: SearchQuery, filters: Sequence[Filter], text: tantivy.Query | None, snapshot: Snapshot
) -> tuple[Facets, int]:
    """The facets that the query names, and the number of all that match it."""
    filtered = {name for name, _ in filters}
    together = [name for name in query.facets if name not in filtered]
    groups = [together, *([name] for name in query.facets if name in filtered)]
    buckets: dict[str, Sequence[dict[str, Any]]] = {}
    total = 0
    for group in groups:
        if group or group is together:
            matching = _matching(group[0] if group else OTHER, query, filters, text, snapshot)
            wanted = {f"f{number}": _terms(name, query, snapshot) for number, name in enumerate(group)}
            # Each product has one version.
            wanted["all"] = {"value_count": {"field": s.VERSION}}
            counted = snapshot.searcher.aggregate(matching, wanted)
            total = int(counted["all"]["value"]) if group is together else total
            buckets |= {name: counted[f"f{number}"]["buckets"] for number, name in enumerate(group)}
    values = {name: _values(name, found, query) for name, found in buckets.items() if name != PRICE}
    ranges = _ranges(buckets[PRICE], query.filters.currency) if PRICE in buckets else None
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
        queries.append(tantivy.Query.term_set_query(snapshot.schema, s.STATUS, list(query.visible_statuses)))
    return all_of(queries if text is None else [*queries, text])


def _terms(facet: str, query: SearchQuery, snapshot: Snapshot) -> Mapping[str, Any]:
    counted = _counted(facet, query)
    if counted.prefix is None:
        return counts(counted.field)
    # A pattern would be compiled for each segment, and takes three times as long as counting.
    values = snapshot.searcher.terms_with_prefix(counted.field, counted.prefix, None, BUCKETS_MAX)
    return counts(counted.field, [value for value, _ in values])


def _counted(facet: str, query: SearchQuery) -> _Counted:
    if facet in _FIELDS:
        return _Counted(_FIELDS[facet], None)
    if facet == PRICE:
        assert query.filters.currency is not None, "counts of prices need a currency"
        return _Counted(s.PRICE_RANGE, query.filters.currency.lower())
    return _Counted(s.ATTRIBUTE, attribute_prefix(_attribute(facet)))


def _attribute(facet: str) -> str:
    return facet.removeprefix(_ATTRIBUTE)


def _values(facet: str, buckets: Sequence[dict[str, Any]], query: SearchQuery) -> Sequence[FacetValue]:
    """The most frequent values, equal ones by name, and the chosen one, even if its count is 0."""
    products: dict[str, int] = {}
    for bucket in buckets:
        value = value_of_fact(bucket["key"]) if facet.startswith(_ATTRIBUTE) else bucket["key"]
        # A number and a text may be written in the same way: one filter finds both.
        products[value] = products.get(value, 0) + bucket["doc_count"]
    ordered = sorted(products, key=lambda value: (-products[value], value))
    shown = ordered[: CATEGORIES_MAX if facet == "category" else VALUES_MAX]
    chosen = [value for value in _chosen(facet, query) if value not in shown]
    return [FacetValue(value, products.get(value, 0)) for value in (*shown, *chosen)]


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


def _ranges(buckets: Sequence[dict[str, Any]], currency: str | None) -> Sequence[FacetRange]:
    """In the order of prices. The last price of a range is the smallest amount below the next one."""
    assert currency is not None, "counts of prices need a currency"
    numbers = sorted((int(bucket["key"][len(currency) :]), bucket["doc_count"]) for bucket in buckets)
    return [_range(number, count, currency) for number, count in numbers]


def _range(number: int, count: int, currency: str) -> FacetRange:
    lowest, below = price_range(number)
    smallest = Decimal(1).scaleb(-minor_units(currency))
    highest = None if below is None else (Decimal(below) / SCALE - smallest).quantize(smallest)
    return FacetRange((Decimal(lowest) / SCALE).quantize(smallest), highest, count)
