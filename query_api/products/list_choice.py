"""Chooses who answers a list: the table, or the search index.

The table walks an index in the order of the list until the page is full, for each status by itself. That is
fast if most products on the way belong to the list. With a filter that few of them meet, the walk reads the
whole catalogue, and nobody knows before how many will: products of one brand or category often stand together
in each order. So the table answers only what it answers with a short walk for any catalogue, and the search
index everything else: its effort is that of the products that match.

Parameters alone decide, never whether the index is ready: all pages of a list come from the same side, so
cursors fit.
"""

from typing import get_args

from query_api.cursors import Cursors
from query_api.products.ports import ListFilters, PagePosition
from query_api.search.query import HitPosition, SearchFilters
from shared.contract.views import ProductStatus

ALL_STATUSES = tuple(sorted(get_args(ProductStatus)))


class ListChoice:
    """`of_index` None: search is off, and the table answers every list."""

    def __init__(self, of_table: Cursors[PagePosition], of_index: Cursors[HitPosition] | None) -> None:
        self._of_table = of_table
        self._of_index = of_index

    def is_for_index(self, filters: ListFilters, same: SearchFilters, cursor: str | None) -> bool:
        """Whether the search index answers this list; `same` are its filters for a search. A cursor is
        answered by the side that gave it: before an upgrade that may have been the other one.
        """
        if self._of_index is None:
            return False
        if cursor is not None and self._of_table.fits(cursor, filters):
            return False
        if cursor is not None and self._of_index.fits(cursor, same):
            return True
        return not is_short_walk(filters)


def is_short_walk(filters: ListFilters) -> bool:
    """Whether the table finds each page of this list in few rows, whatever is in the catalogue."""
    if filters.product_ids is not None or filters.sku is not None:
        # At most as many products as are named, before any other filter.
        return True
    if filters.sort in ("price", "-price"):
        return False
    narrowing = (filters.category, filters.brand, filters.tag, filters.currency)
    if any(value is not None for value in narrowing):
        return False
    return filters.updated_after is None or filters.sort in ("updated_at", "-updated_at")
