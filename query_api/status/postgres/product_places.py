"""Reads how far one product is, in the event store and in the read model."""

from uuid import UUID

from query_api.postgres.bounded_reads import BoundedReads
from query_api.status.ports import ProjectionPlace, ProjectionPlaces, StreamPlace
from shared.contract.addresses import partition_of
from shared.postgres.sql import load_sql

_SQL = "query_api.status.postgres"


class PostgresStreamPlaces:
    """Adapter of `StreamPlaces`. Raises `EventLogUnavailable` or `Overloaded`."""

    def __init__(self, reads: BoundedReads) -> None:
        self._reads = reads

    async def place(self, product_id: UUID) -> StreamPlace | None:
        record = await self._reads.fetchrow(load_sql(_SQL, "select_stream_place"), product_id)
        return None if record is None else StreamPlace(*record)


class PostgresProductPlaces:
    """Adapter of `ProductPlaces`."""

    def __init__(self, reads: BoundedReads, *, topic: str, partition_count: int) -> None:
        self._reads = reads
        self._topic = topic
        self._partition_count = partition_count

    async def places(self, product_id: UUID) -> ProjectionPlaces:
        partition = partition_of(product_id, self._partition_count)
        sql = load_sql(_SQL, "select_product_places")
        rows = await self._reads.fetch(sql, product_id, self._topic, partition)
        state_version = rows[0]["published_version"] if rows else None
        return ProjectionPlaces([ProjectionPlace(*tuple(row)[:-1]) for row in rows], state_version or None)
