"""Sums of facts: changes and price moves by day, category and brand.

A fact is added if its version is above that of the row that its product's new row overwrites, and that
version is read in the statement that overwrites it. So it is added once, also with duplicates and with
another writer.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from projector.applying.ports import Change, Held
from projector.views.analytics.fold import AnalysedProduct, Fact
from projector.views.analytics.rows import CHANGE_COLUMNS, PRICE_COLUMNS, change_columns, price_columns
from projector.views.postgres.loading import one_loader_at_a_time
from projector.views.postgres.statements import LIVE, at_once, statement
from projector.views.postgres.tables import AtOnce
from shared.contract.events import Money

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

_PACKAGE = "projector.views.analytics"
_PRODUCT_COLUMNS = (
    "product_id", "stream_version", "log_position", "is_deleted", "category", "brand", "prices",
)  # fmt: skip
_encode = msgspec.json.Encoder().encode
_prices = msgspec.json.Decoder(dict[str, Money])


class AnalyticsTables:
    """Implements `Tables` for the products' states and the sums."""

    names = ("analytics_product", "analytics_change", "analytics_price")

    def __init__(self, schema: str = LIVE) -> None:
        self._schema = schema

    def at_once(self, changes: Sequence[Change[AnalysedProduct]]) -> AtOnce:
        """All that `save` does: the facts are those above the version that the statement compares."""
        columns = tuple(zip(*map(_product_row, changes), strict=True))
        facts = [fact for change in changes for fact in change.last.facts]
        sums = (
            *(change_columns(facts) or ((),) * CHANGE_COLUMNS),
            *(price_columns(facts) or ((),) * PRICE_COLUMNS),
        )
        return AtOnce(at_once(_PACKAGE, "apply_at_once", self._schema, self.names), (*columns, *sums))

    async def held(
        self, connection: "PoolConnectionProxy[asyncpg.Record]", product_ids: Collection[UUID]
    ) -> Mapping[UUID, Held[AnalysedProduct]]:
        """The version and state of each product, without facts."""
        rows = await connection.fetch(self._sql("select_analysed_products"), list(product_ids))
        return {
            row["product_id"]: Held(
                row["stream_version"],
                AnalysedProduct(
                    row["category"], row["brand"], _prices.decode(row["prices"]), row["is_deleted"]
                ),
            )
            for row in rows
        }

    async def save(
        self, connection: "PoolConnectionProxy[asyncpg.Record]", changes: Sequence[Change[AnalysedProduct]]
    ) -> None:
        """Products first, then the sums, in the order of their keys."""
        columns = tuple(zip(*map(_product_row, changes), strict=True))
        written = await connection.fetch(self._sql("upsert_analysed_products"), *columns)
        counted = {row["product_id"]: row["counted_version"] or 0 for row in written}
        await self._add(
            connection,
            [
                fact
                for change in changes
                if change.product_id in counted
                for fact in change.last.facts
                if fact.stream_version > counted[change.product_id]
            ],
        )

    async def load(
        self, connection: "PoolConnectionProxy[asyncpg.Record]", changes: Sequence[Change[AnalysedProduct]]
    ) -> None:
        """Products by COPY; the sums, which workers share, by one of them at a time."""
        await connection.copy_records_to_table(
            "analytics_product",
            schema_name=self._schema,
            columns=_PRODUCT_COLUMNS,
            records=[_product_row(change) for change in changes],
        )
        await one_loader_at_a_time(connection, self._schema, self.names[0])
        await self._add(connection, [fact for change in changes for fact in change.last.facts])

    async def _add(self, connection: "PoolConnectionProxy[asyncpg.Record]", facts: Collection[Fact]) -> None:
        for name, columns in (
            ("add_analytics_changes", change_columns(facts)),
            ("add_analytics_prices", price_columns(facts)),
        ):
            if columns:
                await connection.execute(self._sql(name), *columns)

    def _sql(self, name: str) -> str:
        return statement(_PACKAGE, name, self._schema, self.names)


def _product_row(change: Change[AnalysedProduct]) -> tuple[Any, ...]:
    product = change.last
    return (
        change.product_id,
        change.stream_version,
        change.log_position,
        product.is_deleted,
        product.category,
        product.brand,
        _encode(product.prices),
    )
