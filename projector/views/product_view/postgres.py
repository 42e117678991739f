"""The product table and its variants: the columns for filters and sorting, and the product document."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from projector.applying.ports import Change, Held
from projector.views.postgres.statements import LIVE, at_once, statement
from projector.views.postgres.tables import AtOnce
from projector.views.product_view import rows as product_rows
from shared.contract.snapshots import FOLD
from shared.contract.views import ProductDocument, decode_document

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

_PACKAGE = "projector.views.product_view"
_PRODUCT_COLUMNS = (
    "product_id", "stream_version", "log_position", "status", "slug", "name", "brand", "product_type",
    "category", "tags", "created_at", "updated_at", "document",
)  # fmt: skip


class ProductViewTables:
    """Implements `Tables` for `product_view` and `product_view_variant`."""

    names = ("product_view_variant", "product_view")

    def __init__(self, schema: str = LIVE) -> None:
        self._schema = schema

    def at_once(self, changes: Sequence[Change[ProductDocument]]) -> AtOnce:
        """All that `save` does."""
        snapshot_ids, *snapshots = product_rows.snapshot_columns(changes)
        columns = (
            *product_rows.product_columns(changes),
            *product_rows.gone_variant_columns(changes),
            *product_rows.written_variant_columns(changes),
            snapshot_ids,
            FOLD,
            *snapshots,
        )
        return AtOnce(at_once(_PACKAGE, "apply_at_once", self._schema, self.names), columns)

    async def held(
        self, connection: "PoolConnectionProxy[asyncpg.Record]", product_ids: Collection[UUID]
    ) -> Mapping[UUID, Held[ProductDocument]]:
        """The version and document of each product."""
        rows = await connection.fetch(self._sql("select_held"), list(product_ids))
        return {row["product_id"]: _held(row["stream_version"], row["document"]) for row in rows}

    async def save(
        self, connection: "PoolConnectionProxy[asyncpg.Record]", changes: Sequence[Change[ProductDocument]]
    ) -> None:
        """In a few statements; variants are written only if one came, went, or has another price."""
        # An empty set of columns needs no statement.
        for name, columns in (
            ("upsert_products", product_rows.product_columns(changes)),
            ("delete_variants", product_rows.gone_variant_columns(changes)),
            ("upsert_variants", product_rows.written_variant_columns(changes)),
        ):
            if columns[0]:
                await connection.execute(self._sql(name), *columns)
        await self._keep_snapshots(connection, changes)

    async def load(
        self, connection: "PoolConnectionProxy[asyncpg.Record]", changes: Sequence[Change[ProductDocument]]
    ) -> None:
        """By COPY: five times as fast as an upsert (docs/library-facts.md)."""
        await connection.copy_records_to_table(
            "product_view",
            schema_name=self._schema,
            columns=_PRODUCT_COLUMNS,
            records=[product_rows.product_row(change, change.last.tags) for change in changes],
        )
        await connection.copy_records_to_table(
            "product_view_variant",
            schema_name=self._schema,
            columns=("product_id", "sku", "currency", "amount"),
            records=[
                (change.product_id, sku, currency, Decimal(amount))
                for change in changes
                for sku, (currency, amount) in product_rows.prices(change.after).items()
            ],
        )
        await self._keep_snapshots(connection, changes)

    async def _keep_snapshots(
        self, connection: "PoolConnectionProxy[asyncpg.Record]", changes: Sequence[Change[ProductDocument]]
    ) -> None:
        """They are no part of the view: a rebuild leaves those of the log as they are."""
        product_ids, *columns = product_rows.snapshot_columns(changes)
        if product_ids:
            await connection.execute(self._sql("upsert_snapshots"), product_ids, FOLD, *columns)

    def _sql(self, name: str) -> str:
        return statement(_PACKAGE, name, self._schema, self.names)


def _held(stream_version: int, document: bytes | None) -> Held[ProductDocument]:
    return Held(stream_version, decode_document(document) if document is not None else None)
