"""Categories and brands with their products by status, which the view `category_view` counts."""

from collections.abc import Sequence

from query_api.applied import Applied
from query_api.postgres.bounded_reads import BoundedReads
from query_api.reports.ports import BrandQuery, BrandRow, CategoryQuery, CategoryRow, Counts, KeyPosition
from shared.postgres.sql import load_sql

_SQL = "query_api.reports.postgres"


class PostgresCategories:
    """Adapter of `KeyedRows` for categories. The pool must be made with `with_custom_plans`."""

    def __init__(self, reads: BoundedReads) -> None:
        self._reads = reads

    async def page(
        self, query: CategoryQuery, after: KeyPosition | None, rows_max: int, applied: Applied | None = None
    ) -> Sequence[CategoryRow]:
        """One level is found by its depth, which has an index; several levels are filtered from the
        subtree.
        """
        above = 0 if query.parent is None else query.parent.count("/") + 1
        only = above + 1 if query.levels == 1 else None
        records = await self._reads.fetch(
            load_sql(_SQL, "list_categories"),
            query.statuses,
            query.parent,
            only,
            above + query.levels if query.levels is not None and only is None else None,
            after.key if after else None,
            rows_max,
            applied=applied,
        )
        return [
            CategoryRow(
                record["path"],
                record["depth"],
                Counts(record["draft"], record["active"], record["archived"]),
                Counts(record["subtree_draft"], record["subtree_active"], record["subtree_archived"]),
            )
            for record in records
        ]


class PostgresBrands:
    """Adapter of `KeyedRows` for brands."""

    def __init__(self, reads: BoundedReads) -> None:
        self._reads = reads

    async def page(
        self, query: BrandQuery, after: KeyPosition | None, rows_max: int, applied: Applied | None = None
    ) -> Sequence[BrandRow]:
        key = after.key if after else None
        sql = load_sql(_SQL, "list_brands")
        records = await self._reads.fetch(sql, query.statuses, key, rows_max, applied=applied)
        return [BrandRow(brand, Counts(*counts)) for brand, *counts in records]
