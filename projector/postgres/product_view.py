"""The product table and its variants: what lists filter and sort by, and the document that readers get."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from projector.ports import Change, Held
from projector.postgres import product_rows
from shared.contract.views import ProductDocument, decode_document
from shared.postgres.sql import load_sql

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

_PACKAGE = "projector.postgres"


class ProductViewTables:
    """`view.Tables` of `product_view` and `product_view_variant`."""

    async def held(
        self, connection: "PoolConnectionProxy[asyncpg.Record]", product_ids: Collection[UUID]
    ) -> Mapping[UUID, Held[ProductDocument]]:
        """Version and document of each."""
        rows = await connection.fetch(load_sql(_PACKAGE, "select_held"), list(product_ids))
        return {row["product_id"]: _held(row["stream_version"], row["document"]) for row in rows}

    async def save(
        self, connection: "PoolConnectionProxy[asyncpg.Record]", changes: Sequence[Change[ProductDocument]]
    ) -> None:
        """Set-wise; variants are touched only where one came, went, or has another price."""
        # No unneeded round trip: an empty set of columns is skipped.
        for name, columns in (
            ("upsert_products", product_rows.product_columns(changes)),
            ("delete_variants", product_rows.gone_variant_columns(changes)),
            ("upsert_variants", product_rows.written_variant_columns(changes)),
        ):
            if columns[0]:
                await connection.execute(load_sql(_PACKAGE, name), *columns)


def _held(stream_version: int, document: bytes | None) -> Held[ProductDocument]:
    return Held(stream_version, decode_document(document) if document is not None else None)
