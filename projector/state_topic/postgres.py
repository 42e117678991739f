"""The table of states: written like a view, read by the publisher."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from projector.applying.ports import Change, Held
from projector.postgres.failures import translated
from projector.state_topic.fold import ProductState
from projector.state_topic.ports import Portion, State, Waiting
from projector.views.postgres.statements import LIVE, at_once, statement
from projector.views.postgres.tables import AtOnce
from shared.contract.addresses import partition_of
from shared.contract.views import decode_document, encode_document
from shared.postgres.sql import load_sql

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

_SERVER = "read model"
_PACKAGE = "projector.state_topic"
_COLUMNS = ("product_id", "partition", "stream_version", "log_position", "recorded_at", "document")
# The limit of one reading, which is in memory for each partition that is being published.
STATES_PER_CHUNK_MAX = 500
CHUNK_BYTES_MAX = 4 * 1024 * 1024


class ProductStateTables:
    """Implements `Tables` for `product_state`."""

    names = ("product_state",)

    def __init__(self, partition_count: int, schema: str = LIVE) -> None:
        self._partition_count = partition_count
        self._schema = schema

    def at_once(self, changes: Sequence[Change[ProductState]]) -> AtOnce:
        """All that `save` does."""
        return AtOnce(
            at_once(_PACKAGE, "apply_at_once", self._schema, self.names),
            tuple(zip(*map(self._row, changes), strict=True)),
        )

    async def held(
        self, connection: "PoolConnectionProxy[asyncpg.Record]", product_ids: Collection[UUID]
    ) -> Mapping[UUID, Held[ProductState]]:
        """Version and state of each."""
        rows = await connection.fetch(
            statement(_PACKAGE, "select_held_states", self._schema, self.names), list(product_ids)
        )
        return {row["product_id"]: _held(row) for row in rows}

    async def save(
        self, connection: "PoolConnectionProxy[asyncpg.Record]", changes: Sequence[Change[ProductState]]
    ) -> None:
        """In one statement; the published version of a product does not change."""
        sql = statement(_PACKAGE, "upsert_states", self._schema, self.names)
        await connection.execute(sql, *zip(*map(self._row, changes), strict=True))

    async def load(
        self, connection: "PoolConnectionProxy[asyncpg.Record]", changes: Sequence[Change[ProductState]]
    ) -> None:
        """By COPY. No row counts as published: a rebuild is made because documents were wrong."""
        await connection.copy_records_to_table(
            "product_state", schema_name=self._schema, columns=_COLUMNS, records=map(self._row, changes)
        )

    def _row(self, change: Change[ProductState]) -> tuple[Any, ...]:
        state = change.last  # never absent: a deleted product has a state, too
        return (
            change.product_id,
            partition_of(change.product_id, self._partition_count),
            change.stream_version,
            change.log_position,
            state.recorded_at,
            None if state.document is None else encode_document(state.document),
        )


async def publish_anew(connection: "PoolConnectionProxy[asyncpg.Record]") -> None:
    """Mark all as unpublished: the topic has other states than this table."""
    await connection.execute(load_sql(_PACKAGE, "forget_published_states"), None)


def _held(row: "asyncpg.Record") -> Held[ProductState]:
    document = None if row["document"] is None else decode_document(row["document"])
    return Held(row["stream_version"], ProductState(document, row["recorded_at"]))


class PostgresStates:
    """Implements `StateTable` over the live table."""

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        *,
        projection: str,
        topic: str,
        states_max: int = STATES_PER_CHUNK_MAX,
        bytes_max: int = CHUNK_BYTES_MAX,
    ) -> None:
        self._pool = pool
        self._source = (projection, topic)
        self._limits = (states_max, bytes_max)

    async def unpublished(self, partitions: Collection[int]) -> Mapping[int, Portion]:
        states_max, bytes_max = (max(1, limit // max(1, len(partitions))) for limit in self._limits)
        with translated(_SERVER):
            sql = load_sql(_PACKAGE, "select_unpublished_states")
            rows = await self._pool.fetch(sql, list(partitions), states_max, bytes_max, *self._source)
        states: dict[int, list[State]] = {at: [] for at in partitions}
        waiting = dict.fromkeys(partitions, 0)
        for row in rows:
            *state, partition, waiting_there = row
            states[partition].append(State._make(state))
            waiting[partition] = waiting_there
        return {
            at: Portion(found, are_all=waiting[at] == len(found) and waiting[at] < states_max)
            for at, found in states.items()
        }

    async def waiting(self, partitions: Collection[int]) -> Mapping[int, Waiting]:
        with translated(_SERVER):
            rows = await self._pool.fetch(load_sql(_PACKAGE, "select_waiting_states"), list(partitions))
        return {row["partition"]: Waiting(row["states"], row["oldest_seconds"]) for row in rows}

    async def published(self, states: Sequence[State]) -> None:
        digests = [
            None if state.document is None else hashlib.sha256(state.document).digest() for state in states
        ]
        with translated(_SERVER):
            await self._pool.execute(
                load_sql(_PACKAGE, "mark_states_published"),
                [state.product_id for state in states],
                [state.stream_version for state in states],
                digests,
            )

    async def topic_lost(self, partitions: Collection[int]) -> None:
        with translated(_SERVER):
            await self._pool.execute(load_sql(_PACKAGE, "forget_published_states"), list(partitions))
