"""Reads single products from the read model, after a cache miss or if the cache may be too old."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from query_api.applied import Applied
from query_api.postgres.bounded_reads import BoundedReads
from query_api.products.ports import ProductRow
from shared.postgres.sql import load_sql

_SQL = "query_api.products.postgres"


class PostgresProductTable:
    """Adapter of `ProductTable`."""

    def __init__(self, reads: BoundedReads) -> None:
        self._reads = reads

    async def by_id(self, product_id: UUID, applied: Applied | None = None) -> ProductRow | None:
        return _row(await self._reads.fetchrow(load_sql(_SQL, "select_product"), product_id, applied=applied))

    async def by_ids(
        self, product_ids: Sequence[UUID], applied: Applied | None = None
    ) -> Sequence[ProductRow]:
        records = await self._reads.fetch(load_sql(_SQL, "select_products"), product_ids, applied=applied)
        return [ProductRow(*record) for record in records]

    async def by_sku(self, sku: str, applied: Applied | None = None) -> ProductRow | None:
        return _row(await self._reads.fetchrow(load_sql(_SQL, "select_product_by_sku"), sku, applied=applied))

    async def by_slug(self, slug: str, applied: Applied | None = None) -> ProductRow | None:
        return _row(
            await self._reads.fetchrow(load_sql(_SQL, "select_product_by_slug"), slug, applied=applied)
        )


def _row(record: asyncpg.Record | None) -> ProductRow | None:
    return None if record is None else ProductRow(*record)
