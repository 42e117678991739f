"""Reads snapshots of long streams from the read model, where the projector of `product_view` keeps them."""

from uuid import UUID

import msgspec

from query_api.history.ports import Snapshot
from query_api.postgres.bounded_reads import BoundedReads
from shared.contract.snapshots import FOLD
from shared.contract.views import decode_document
from shared.postgres.sql import load_sql

_SQL = "query_api.history.postgres"


class PostgresSnapshots:
    """Adapter of `Snapshots`. Raises `ReadModelUnavailable` or `Overloaded`."""

    def __init__(self, reads: BoundedReads) -> None:
        self._reads = reads

    async def newest(self, product_id: UUID, up_to_version: int) -> Snapshot | None:
        sql = load_sql(_SQL, "select_snapshot")
        record = await self._reads.fetchrow(sql, product_id, FOLD, up_to_version)
        if record is None:
            return None
        try:
            document = decode_document(record["document"])
        except msgspec.MsgspecError:
            return None
        return Snapshot(record["stream_version"], record["log_position"], document)
