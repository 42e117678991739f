"""Counts by value. Each ignores the filter on the same thing, so that a reader sees what else could be
chosen.

All facets without a filter of their own are one aggregation; each other one needs one more. The counts are
exact: one process has the whole index, and no bucket is cut before it is counted.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import tantivy

from query_api.search.counts import (
    BRAND,
    CATEGORY,
    PRICE,
    STATUS,
    TAG,
    attribute_of,
    facet_ranges,
    facet_values,
)
from query_api.search.query import Facets, SearchQuery
from query_api.search.tantivy import schema as s
from query_api.search.tantivy.counting import BUCKETS_MAX, counts
from query_api.search.tantivy.filters import OTHER, Filter, all_of
from query_api.search.tantivy.index import Snapshot
from shared.search.entry import attribute_prefix

_FIELDS = {BRAND: s.BRAND, CATEGORY: s.CATEGORY, TAG: s.TAG, STATUS: s.STATUS}


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
    stored = {name: {one["key"]: one["doc_count"] for one in found} for name, found in buckets.items()}
    values = {name: facet_values(name, found, query) for name, found in stored.items() if name != PRICE}
    ranges = facet_ranges(stored[PRICE], query.filters.currency) if PRICE in stored else None
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
    if facet == STATUS:
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
    return _Counted(s.ATTRIBUTE, attribute_prefix(attribute_of(facet) or ""))
