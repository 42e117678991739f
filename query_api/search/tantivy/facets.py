"""Counts by value. Each ignores the filter on the same thing, so that a reader sees what else could be
chosen.

All facets without a filter of their own are one aggregation; each other one needs one more. The counts are
exact: one process has the whole index, and no bucket is cut before it is counted.
"""

from collections.abc import Sequence
from functools import partial

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
from query_api.search.tantivy.counting import Column, Counts, count_all, count_values
from query_api.search.tantivy.filters import OTHER, Filter, all_of, one_of
from query_api.search.tantivy.index import Snapshot
from shared.search.entry import attribute_prefix, counted_value

_FIELDS = {BRAND: s.BRAND, CATEGORY: s.CATEGORY, TAG: s.TAG, STATUS: s.STATUS}


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
        name: facet_values(
            name,
            found.products,
            query,
            partial(_count_one, name, matching[name], snapshot) if found.is_cut else None,
        )
        for name, found in counts.items()
        if name != PRICE
    }
    ranges = facet_ranges(counts[PRICE].products, query.filters.currency) if PRICE in counts else None
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
        queries.append(one_of(snapshot, s.STATUS, query.visible_statuses))
    return all_of(queries if text is None else [*queries, text])


def _column(facet: str, currency: str | None) -> Column:
    if facet in _FIELDS:
        return Column(_FIELDS[facet])
    if facet == PRICE:
        assert currency is not None, "counts of prices need a currency"
        return Column(s.PRICE_RANGE, currency.lower())
    return Column(s.ATTRIBUTE_VALUE, attribute_prefix(attribute_of(facet) or ""))


def _count_one(facet: str, matching: tantivy.Query, snapshot: Snapshot, value: str) -> int:
    name = attribute_of(facet)
    field = s.ATTRIBUTE_VALUE if name is not None else _FIELDS[facet]
    stored = value if name is None else counted_value(name, value)
    return count_all(all_of([matching, one_of(snapshot, field, [stored])]), snapshot)
