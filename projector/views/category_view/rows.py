"""Moves of products between categories, brands and statuses, as differences of counts in columns."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from projector.views.category_view.fold import CountedProduct, ancestors

Move = tuple[CountedProduct | None, CountedProduct | None]
"""(where a product was counted, where it is counted now)"""
Columns = tuple[Sequence[Any], ...]

_STATUSES = ("draft", "active", "archived")
CATEGORY_COLUMNS = 2 + 2 * len(_STATUSES)
BRAND_COLUMNS = 1 + len(_STATUSES)
_Counts = Counter[tuple[str, str]]
"""(key, status) -> difference."""


def category_columns(moves: Iterable[Move]) -> Columns:
    """The arguments of `add_category_counts.sql`; empty if no count changes."""
    own: _Counts = Counter()
    subtree: _Counts = Counter()
    for counted, step in _steps(moves):
        if counted.category is not None:
            own[counted.category, counted.status] += step
            for path in ancestors(counted.category):
                subtree[path, counted.status] += step
    paths = dict.fromkeys([*_changed(subtree), *_changed(own)])
    rows = [(path, path.count("/") + 1, *_by_status(own, path), *_by_status(subtree, path)) for path in paths]
    return tuple(zip(*rows, strict=True))


def brand_columns(moves: Iterable[Move]) -> Columns:
    """The arguments of `add_brand_counts.sql`; empty if no count changes."""
    counts: _Counts = Counter()
    for counted, step in _steps(moves):
        if counted.brand is not None:
            counts[counted.brand, counted.status] += step
    return tuple(zip(*((brand, *_by_status(counts, brand)) for brand in _changed(counts)), strict=True))


def may_empty(categories: Columns, brands: Columns) -> bool:
    """Whether one of them has fewer products afterwards."""
    subtrees, by_brand = categories[-len(_STATUSES) :], brands[-len(_STATUSES) :]
    return any(sum(counts) < 0 for columns in (subtrees, by_brand) for counts in zip(*columns, strict=True))


def _steps(moves: Iterable[Move]) -> Iterable[tuple[CountedProduct, int]]:
    for before, after in moves:
        if before is not None:
            yield before, -1
        if after is not None:
            yield after, 1


def _changed(counts: _Counts) -> dict[str, None]:
    """In the order of first occurrence, so that the statement's arguments are always the same."""
    return dict.fromkeys(key for (key, _), difference in counts.items() if difference)


def _by_status(counts: _Counts, key: str) -> tuple[int, ...]:
    return tuple(counts[key, status] for status in _STATUSES)
