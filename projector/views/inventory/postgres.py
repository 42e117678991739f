"""Stock items by SKU, and which SKUs each product has.

A row of an item is its whole state, with the log position of the event that it follows from. The
row with the later position wins, so two products may release and reserve a SKU in any order.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from projector.applying.ports import Change, Held
from projector.views.inventory.fold import Movement, StockedProduct
from projector.views.postgres.loading import one_loader_at_a_time
from projector.views.postgres.statements import LIVE, at_once, statement
from projector.views.postgres.tables import AtOnce

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

_PACKAGE = "projector.views.inventory"
_PRODUCT_COLUMNS = ("product_id", "stream_version", "log_position", "is_deleted", "opened_at")
_ITEM_COLUMNS = 5
_encode = msgspec.json.Encoder().encode
_opened_at = msgspec.json.Decoder(dict[str, datetime])


class InventoryTables:
    """Implements `Tables` for the products' SKUs and the stock items."""

    names = ("inventory_product", "stock_item")

    def __init__(self, schema: str = LIVE) -> None:
        self._schema = schema

    def at_once(self, changes: Sequence[Change[StockedProduct]]) -> AtOnce:
        """All that `save` does."""
        columns = tuple(zip(*map(_product_row, changes), strict=True))
        items = _item_columns(changes) or ((),) * _ITEM_COLUMNS
        return AtOnce(at_once(_PACKAGE, "apply_at_once", self._schema, self.names), (*columns, *items))

    async def held(
        self, connection: "PoolConnectionProxy[asyncpg.Record]", product_ids: Collection[UUID]
    ) -> Mapping[UUID, Held[StockedProduct]]:
        """The version and SKUs of each product."""
        rows = await connection.fetch(self._sql("select_stocked_products"), list(product_ids))
        return {
            row["product_id"]: Held(
                row["stream_version"],
                StockedProduct(_opened_at.decode(row["opened_at"]), row["is_deleted"]),
            )
            for row in rows
        }

    async def save(
        self, connection: "PoolConnectionProxy[asyncpg.Record]", changes: Sequence[Change[StockedProduct]]
    ) -> None:
        """Products, then items, each in the order of their keys."""
        columns = tuple(zip(*map(_product_row, changes), strict=True))
        await connection.execute(self._sql("upsert_stocked_products"), *columns)
        await self._move(connection, changes)

    async def load(
        self, connection: "PoolConnectionProxy[asyncpg.Record]", changes: Sequence[Change[StockedProduct]]
    ) -> None:
        """Products by COPY; items, which several workers may write, by one worker at a time."""
        await connection.copy_records_to_table(
            "inventory_product",
            schema_name=self._schema,
            columns=_PRODUCT_COLUMNS,
            records=[_product_row(change) for change in changes],
        )
        await one_loader_at_a_time(connection, self._schema, self.names[0])
        await self._move(connection, changes)

    async def _move(
        self, connection: "PoolConnectionProxy[asyncpg.Record]", changes: Sequence[Change[StockedProduct]]
    ) -> None:
        columns = _item_columns(changes)
        if columns:
            await connection.execute(self._sql("upsert_stock_items"), *columns)

    def _sql(self, name: str) -> str:
        return statement(_PACKAGE, name, self._schema, self.names)


def _product_row(change: Change[StockedProduct]) -> tuple[Any, ...]:
    stocked = change.last
    opened_at = _encode(stocked.opened_at)
    return change.product_id, change.stream_version, change.log_position, stocked.is_deleted, opened_at


def _item_columns(changes: Sequence[Change[StockedProduct]]) -> tuple[Sequence[Any], ...]:
    """If two products of the batch move one SKU, the last movement counts."""
    latest: dict[str, tuple[UUID, Movement]] = {}
    for change in changes:
        for sku, movement in change.last.moved.items():
            so_far = latest.get(sku)
            if so_far is None or so_far[1].log_position < movement.log_position:
                latest[sku] = change.product_id, movement
    rows = [
        (sku, product_id, movement.opened_at, movement.closed_at, movement.log_position)
        for sku, (product_id, movement) in latest.items()
    ]
    return tuple(zip(*rows, strict=True))
