"""The number of products of each category and brand, by status, updated by differences.

The old count of a product is read from its row in the statement that overwrites it (`RETURNING
old`): each difference is added once, also if another writer (a retry, a replaced process) writes the same.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from projector.applying.ports import Change, Held
from projector.views.category_view.fold import CountedProduct
from projector.views.category_view.rows import (
    BRAND_COLUMNS,
    CATEGORY_COLUMNS,
    Move,
    brand_columns,
    category_columns,
    may_empty,
)
from projector.views.postgres.loading import one_loader_at_a_time
from projector.views.postgres.statements import LIVE, at_once, statement
from projector.views.postgres.tables import AtOnce

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

_PACKAGE = "projector.views.category_view"
_DELETED = "deleted"
_PRODUCT_COLUMNS = ("product_id", "stream_version", "log_position", "status", "category", "brand")


class CategoryViewTables:
    """Implements `Tables` for the counted products and the counts."""

    names = ("category_view_product", "category_view_category", "category_view_brand")

    def __init__(self, schema: str = LIVE) -> None:
        self._schema = schema

    def at_once(self, changes: Sequence[Change[CountedProduct]]) -> AtOnce | None:
        """Unless a category or a brand may get empty: its row is deleted after the counts are added."""
        moves = [(change.before, change.after) for change in changes if change.before != change.after]
        categories, brands = category_columns(moves), brand_columns(moves)
        if may_empty(categories, brands):
            return None
        columns = tuple(zip(*map(_product_row, changes), strict=True))
        counts = (*(categories or ((),) * CATEGORY_COLUMNS), *(brands or ((),) * BRAND_COLUMNS))
        return AtOnce(at_once(_PACKAGE, "apply_at_once", self._schema, self.names), (*columns, *counts))

    async def held(
        self, connection: "PoolConnectionProxy[asyncpg.Record]", product_ids: Collection[UUID]
    ) -> Mapping[UUID, Held[CountedProduct]]:
        """The version of each product, and where it is counted."""
        rows = await connection.fetch(self._sql("select_counted_products"), list(product_ids))
        return {
            row["product_id"]: Held(
                row["stream_version"], _counted(row["status"], row["category"], row["brand"])
            )
            for row in rows
        }

    async def save(
        self, connection: "PoolConnectionProxy[asyncpg.Record]", changes: Sequence[Change[CountedProduct]]
    ) -> None:
        """Products first, then the counts that they leave and enter, in the order of their keys."""
        columns = tuple(zip(*map(_product_row, changes), strict=True))
        written = await connection.fetch(self._sql("upsert_counted_products"), *columns)
        after = {change.product_id: change.after for change in changes}
        await self._add(
            connection,
            [
                (_counted(row["status"], row["category"], row["brand"]), after[row["product_id"]])
                for row in written
            ],
        )

    async def load(
        self, connection: "PoolConnectionProxy[asyncpg.Record]", changes: Sequence[Change[CountedProduct]]
    ) -> None:
        """Products by COPY; the counts, which workers share, by one of them at a time."""
        await connection.copy_records_to_table(
            "category_view_product",
            schema_name=self._schema,
            columns=_PRODUCT_COLUMNS,
            records=[_product_row(change) for change in changes],
        )
        await one_loader_at_a_time(connection, self._schema, self.names[0])
        await self._add(connection, [(None, change.after) for change in changes])

    async def _add(self, connection: "PoolConnectionProxy[asyncpg.Record]", moves: Iterable[Move]) -> None:
        """No call without differences: most batches change prices and move no product."""
        moves = [move for move in moves if move[0] != move[1]]
        for adding, forgetting, columns in (
            ("add_category_counts", "delete_empty_categories", category_columns(moves)),
            ("add_brand_counts", "delete_empty_brands", brand_columns(moves)),
        ):
            if columns:
                await connection.execute(self._sql(adding), *columns)
                if any(before is not None for before, _ in moves):
                    await connection.execute(self._sql(forgetting), columns[0])

    def _sql(self, name: str) -> str:
        return statement(_PACKAGE, name, self._schema, self.names)


def _product_row(change: Change[CountedProduct]) -> tuple[Any, ...]:
    """A deleted product keeps its category and brand; its status says that it is not counted."""
    status = change.after.status if change.after else _DELETED
    last = change.last
    return change.product_id, change.stream_version, change.log_position, status, last.category, last.brand


def _counted(status: Any, category: str | None, brand: str | None) -> CountedProduct | None:
    return None if status in (None, _DELETED) else CountedProduct(category, brand, status)
