"""Counts by value, in the same request as the page: each ignores the filter on the same thing.

The query has the text and the filters that no wanted facet is about; `post_filter` has the others for the
page and the total; each facet has those of the other facets.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from query_api.search.counts import (
    BRAND,
    CATEGORY,
    PRICE,
    STATUS,
    TAG,
    attribute_of,
    chosen_as_stored,
    facet_ranges,
    facet_values,
    values_max,
)
from query_api.search.opensearch.queries import Filter, Query, all_of, status_is
from query_api.search.query import Facets, SearchQuery
from shared.search.entry import attribute_prefix
from shared.search.opensearch import mapping as m

SHARD_VALUES_MAX = 2**31 - 1
"""How many values of a facet each shard tells: all. A shard, or a part of one that has a thread of its own
(concurrent segment search), would leave out what is rare in it alone, and counts would be too low.
"""
_FIELDS = {BRAND: m.BRAND, CATEGORY: m.CATEGORY, TAG: m.TAG, STATUS: m.STATUS}
_VALUES, _CHOSEN = "values", "chosen"


class Split(NamedTuple):
    """The filters of the query, of the page alone, and the counts."""

    query: list[Query]
    page: list[Query]
    counts: Mapping[str, Any]


def split(query: SearchQuery, filters: Sequence[Filter]) -> Split:
    """Where each filter counts."""
    page = [(name, each) for name, each in filters if name in query.facets]
    return Split(
        [each for name, each in filters if name not in query.facets],
        [each for _, each in page],
        {f"f{number}": _counted(facet, query, page) for number, facet in enumerate(query.facets)},
    )


def facets_of(query: SearchQuery, counted: Mapping[str, Any]) -> Facets:
    """The facets of an answer."""
    stored = {
        facet: {
            bucket["key"]: bucket["doc_count"]
            for kind in (_VALUES, _CHOSEN)
            if kind in counted[f"f{number}"]
            for bucket in counted[f"f{number}"][kind]["buckets"]
        }
        for number, facet in enumerate(query.facets)
    }
    values = {name: facet_values(name, found, query) for name, found in stored.items() if name != PRICE}
    ranges = facet_ranges(stored[PRICE], query.filters.currency) if PRICE in stored else None
    return Facets(values, ranges)


def _counted(facet: str, query: SearchQuery, page: Sequence[Filter]) -> Mapping[str, Any]:
    others = [each for name, each in page if name != facet]
    if facet == STATUS:
        others.append(status_is(query.visible_statuses))
    field, prefix = _field(facet, query)
    counts = {_VALUES: _terms(field, values_max(facet), None if prefix is None else f"{prefix}.*")}
    chosen = () if facet == PRICE else chosen_as_stored(facet, query)
    if chosen:
        counts[_CHOSEN] = _terms(field, len(chosen), list(chosen))
    return {"filter": all_of(others) if others else {"match_all": {}}, "aggs": counts}


def _field(facet: str, query: SearchQuery) -> tuple[str, str | None]:
    """Where the values are, and how they begin; they begin with letters and digits alone."""
    if facet in _FIELDS:
        return _FIELDS[facet], None
    if facet == PRICE:
        assert query.filters.currency is not None, "counts of prices need a currency"
        return m.PRICE_RANGE, query.filters.currency.lower()
    return m.ATTRIBUTE_VALUE, attribute_prefix(attribute_of(facet) or "")


def _terms(field: str, size: int, include: str | list[str] | None) -> Mapping[str, Any]:
    counted: dict[str, Any] = {"field": field, "size": size, "shard_size": SHARD_VALUES_MAX}
    return {"terms": counted if include is None else {**counted, "include": include}}
