"""Reads the reports, behind the bulkhead of the past."""

from collections.abc import Sequence

import msgspec

from query_api.imports.ports import ImportPosition, ImportRow, RejectedProducts
from query_api.postgres.bounded_reads import BoundedReads
from shared.postgres.sql import load_sql

_SQL = "query_api.imports.postgres"
_COUNTS = len(ImportRow._fields)


class PostgresImports:
    """Adapter of `Imports`."""

    def __init__(self, reads: BoundedReads) -> None:
        self._reads = reads

    async def page(self, after: ImportPosition | None, limit: int) -> Sequence[ImportRow]:
        place = (None, None) if after is None else after
        rows = await self._reads.fetch(load_sql(_SQL, "list_imports"), *place, limit)
        return [ImportRow(*row) for row in rows]

    async def one(self, import_id: str) -> tuple[ImportRow, RejectedProducts] | None:
        row = await self._reads.fetchrow(load_sql(_SQL, "select_import"), import_id)
        if row is None:
            return None
        rejects = msgspec.Raw(row["rejects"].encode())
        return ImportRow(*tuple(row)[:_COUNTS]), RejectedProducts(rejects, row["rejects_left_out"])
