"""Counts products by value, exactly: no value is left out before all segments are counted.

To open a column of a segment takes as long as to count a few hundred products in it. So several facets are
counted in the one column that has the values of all of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import tantivy

from query_api.search.tantivy import schema as s
from query_api.search.tantivy.index import Snapshot

# tantivy refuses to return more buckets in one answer, but counts any number of them.
_BUCKETS_MAX = 60_000
_COUNTED_MAX = 1 << 31
_ALL = "all"


class Column(NamedTuple):
    """The values of a field that begin with `prefix`."""

    field: str
    prefix: str = ""


_SHARED = Column(s.FACET)


class Counts(NamedTuple):
    """Products by value. `is_cut`: there are more values, with fewer products each, than tantivy returns."""

    products: Mapping[str, int]
    is_cut: bool = False


def count_values(
    matching: tantivy.Query, columns: Sequence[Column], snapshot: Snapshot, *, with_total: bool = False
) -> tuple[Sequence[Counts], int]:
    """The counts of each column, and the number of all that match; 0 if it was not asked for."""
    shared = [column for column in columns if column.field in s.FACET_FIELDS]
    if len(shared) > 1:
        others = [column for column in columns if column.field not in s.FACET_FIELDS]
        found, _ = _count(matching, [_SHARED, *others], snapshot, with_total=False)
        if not found[_SHARED].is_cut:
            by_field = _by_field(found[_SHARED].products)
            # Each product has one status.
            total = sum(by_field.get(s.STATUS, {}).values())
            return [_of(column, by_field) or found[column] for column in columns], total
    found, total = _count(matching, columns, snapshot, with_total=with_total)
    return [found[column] for column in columns], total


def count_all(matching: tantivy.Query, snapshot: Snapshot) -> int:
    """How many products match."""
    found = snapshot.searcher.search(matching, 1, count=True)
    return int(found.count)  # type: ignore[attr-defined]  # not in its declarations


def _count(
    matching: tantivy.Query, columns: Sequence[Column], snapshot: Snapshot, *, with_total: bool
) -> tuple[Mapping[Column, Counts], int]:
    size = _BUCKETS_MAX // max(len(columns), 1)
    wanted = {str(number): _terms(column, size, snapshot) for number, column in enumerate(columns)}
    if with_total:
        # Each product has one id.
        wanted[_ALL] = {"value_count": {"field": s.ID_HIGH}}
    answer = snapshot.searcher.aggregate(matching, wanted)
    found = {}
    for number, column in enumerate(columns):
        buckets = answer[str(number)]["buckets"]
        products = {bucket["key"]: bucket["doc_count"] for bucket in buckets}
        found[column] = Counts(products, is_cut=len(buckets) == size)
    return found, int(answer[_ALL]["value"]) if with_total else 0


def _terms(column: Column, size: int, snapshot: Snapshot) -> Mapping[str, Any]:
    terms = {"field": column.field, "size": size, "segment_size": _COUNTED_MAX}
    if column.prefix:
        # A pattern would be compiled for each segment, and takes three times as long as counting.
        terms["include"] = snapshot.terms(column.field, column.prefix)
    return {"terms": terms}


def _by_field(products: Mapping[str, int]) -> Mapping[str, Mapping[str, int]]:
    """The values of the shared column, apart."""
    found: dict[str, dict[str, int]] = {}
    for value, count in products.items():
        field, _, own = value.partition(" ")
        found.setdefault(field, {})[own] = count
    return found


def _of(column: Column, by_field: Mapping[str, Mapping[str, int]]) -> Counts | None:
    if column.field not in s.FACET_FIELDS:
        return None
    products = by_field.get(column.field, {})
    return Counts({value: count for value, count in products.items() if value.startswith(column.prefix)})
