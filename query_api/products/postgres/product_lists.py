"""Pages of products: four static statements, that walk the products of each status, all products, products
with a price, or prices.

Unused filters are `NULL IS NULL OR …`; PostgreSQL removes them if it knows the values when it plans. So the
pool for lists must be made with `with_custom_plans`; with generic plans the statements would scan the whole
table.
"""

from collections.abc import Sequence

import asyncpg

from query_api.applied import Applied
from query_api.errors import ListTooSlow, ReadModelUnavailable
from query_api.postgres.bounded_reads import BoundedReads, Rows
from query_api.products.ports import ListFilters, ListRow, PagePosition
from shared.postgres.sql import load_sql

_SQL = "query_api.products.postgres"


class PostgresProductLists:
    """Adapter of `ProductLists`. `page_bytes_max` bounds the documents of one page, except the first one."""

    def __init__(self, reads: BoundedReads, *, page_bytes_max: int) -> None:
        self._reads = reads
        self._page_bytes_max = page_bytes_max

    async def page(
        self,
        filters: ListFilters,
        after: PagePosition | None,
        items_max: int,
        applied: Applied | None = None,
    ) -> Sequence[ListRow]:
        """Up to `items_max` rows in order; see `ListRow` for those beyond the byte limit.

        Raises `ListTooSlow`, and what `BoundedReads` raises.
        """
        try:
            records = await self._records(filters, after, items_max, applied)
        except ReadModelUnavailable as error:
            if isinstance(error.__cause__, asyncpg.QueryCanceledError):
                raise ListTooSlow from error
            raise
        return [ListRow(_position(record, filters), record["document"]) for record in records]

    async def _records(
        self, filters: ListFilters, after: PagePosition | None, items_max: int, applied: Applied | None
    ) -> Rows:
        return await self._reads.fetch(
            load_sql(_SQL, _statement(filters)),
            filters.statuses,
            filters.category,
            filters.brand,
            filters.tag,
            filters.product_ids,
            filters.sku,
            filters.updated_after,
            filters.currency,
            filters.price_min,
            filters.price_max,
            filters.sort,
            after.sort_value if after else None,
            after.product_id if after else None,
            items_max,
            self._page_bytes_max,
            applied=applied,
        )


def _statement(filters: ListFilters) -> str:
    if filters.sort in ("price", "-price"):
        return "list_products_by_price"
    if filters.currency is not None:
        return "list_products_in_currency"
    filtering = (filters.category, filters.brand, filters.tag, filters.product_ids, filters.sku)
    is_filtered = any(value is not None for value in filtering)
    return "list_products" if is_filtered else "list_products_by_status"


def _position(record: asyncpg.Record, filters: ListFilters) -> PagePosition:
    """Sort values in the form that the statements read: texts with the precision of the column."""
    match filters.sort:
        case "name" | "-name":
            value = record["name"]
        case "price" | "-price":
            value = format(record["amount"], "f")
        case _:
            value = record["updated_at"].isoformat()
    return PagePosition(value, record["product_id"])
