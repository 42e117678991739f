"""Stock items, which the view `inventory` opens and closes."""

from collections.abc import Sequence

from query_api.applied import Applied
from query_api.postgres.bounded_reads import BoundedReads
from query_api.reports.ports import KeyPosition, StockQuery, StockRow
from shared.postgres.sql import load_sql

_SQL = "query_api.reports.postgres"


class PostgresStockItems:
    """Adapter of `KeyedRows` for stock items. The pool must be made with `with_custom_plans`."""

    def __init__(self, reads: BoundedReads) -> None:
        self._reads = reads

    async def page(
        self, query: StockQuery, after: KeyPosition | None, rows_max: int, applied: Applied | None = None
    ) -> Sequence[StockRow]:
        records = await self._reads.fetch(
            load_sql(_SQL, "list_stock_items"),
            query.sku,
            query.product_id,
            query.state,
            after.key if after else None,
            rows_max,
            applied=applied,
        )
        return [StockRow(*record) for record in records]
