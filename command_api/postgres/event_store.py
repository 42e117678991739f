"""The event store in PostgreSQL: grouped loads over a small pool, group commit over one connection."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

import asyncpg

from command_api.domain.product import Reservation
from command_api.executing.ports import (
    NO_STREAM,
    Append,
    AppendOutcome,
    Session,
    StoredAnswer,
    Stream,
    StreamPlace,
)
from command_api.postgres.group_commit import GroupCommit, GroupCommitLimits
from command_api.postgres.grouped_read import grouped_read
from command_api.postgres.writer_connection import WriterConnection
from shared.contract.codec import decode_event
from shared.postgres.sql import load_sql
from shared.telemetry import conventions as c
from shared.telemetry.spans import SpanKind
from shared.telemetry.tracing import span

_READS = {c.DB_SYSTEM: c.POSTGRESQL}
_LOAD_SQL = load_sql("command_api.postgres", "load_streams")
_ANSWERS_SQL = load_sql("command_api.postgres", "find_answers")
_HOLDERS_SQL = load_sql("command_api.postgres", "find_holders")
LOAD_PRODUCTS_MAX = 256
FIND_RESERVATIONS_MAX = 4096

_Asked = tuple[UUID, StreamPlace | None]


class PostgresEventStore:
    """Adapter of `ports.EventStore`. `on_commit` is called after each call that wrote, and must not block."""

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        writer: WriterConnection,
        *,
        limits: GroupCommitLimits | None = None,
        on_commit: Callable[[], None] = lambda: None,
    ) -> None:
        self._pool = pool
        self._writer = writer
        self._commits = GroupCommit(writer, limits or GroupCommitLimits(), on_commit=on_commit)
        self._streams = grouped_read(self._load, keys_max=LOAD_PRODUCTS_MAX)
        self._answers = grouped_read(self._find_answers, keys_max=LOAD_PRODUCTS_MAX)
        self._holders = grouped_read(self._find_holders, keys_max=FIND_RESERVATIONS_MAX)

    @property
    def session(self) -> Session | None:
        """Of the connection that appends."""
        return self._writer.session

    async def load(self, product_id: UUID, known: StreamPlace | None = None) -> Stream:
        """The product's history after the known place, or all of it. Raises `StoreUnavailable`, or
        `CodecError` (a bug, or a newer log).
        """
        with span(c.LOAD, SpanKind.CLIENT, _READS):
            rows = await self._streams.get((product_id, known))
            if known is not None and not _begins_at(known, rows):
                known = None
                rows = await self._streams.get((product_id, None))
        if rows is None:
            return NO_STREAM
        *_, last_position, stream_version, metadata, _, _, _ = rows[-1]
        # Decoded here, one product per call, so that an undecodable event fails only its own command.
        new = rows if known is None else rows[1:]
        events = [decode_event(event_type, version, data) for *_, event_type, version, data in new]
        after_version = 0 if known is None else known.stream_version
        place = StreamPlace(stream_version, last_position, metadata)
        return Stream(stream_version, last_position, events, after_version, place)

    async def append(self, append: Append) -> AppendOutcome:
        """Write one command's events, all or none. Raises a `StoreError`."""
        return await self._commits.submit(append)

    async def find_answer(self, key: UUID) -> StoredAnswer | None:
        """The answer to this key, if it was given within the last 24 hours. Raises `StoreUnavailable`."""
        return await self._answers.get(key)

    async def find_holder(self, reservation: Reservation) -> UUID | None:
        """The product that holds this slug or SKU. Raises `StoreUnavailable`."""
        return await self._holders.get(reservation)

    @property
    def queued_commands(self) -> int:
        """The number of commands that wait for the next append call."""
        return self._commits.queued_commands

    async def close(self) -> None:
        """Write the queued commands, then close the connections."""
        await self._commits.drain()
        await self._writer.close()
        await self._pool.close()

    async def _load(self, asked: list[_Asked]) -> Mapping[_Asked, list[asyncpg.Record]]:
        products = [product_id for product_id, _ in asked]
        versions = [known.stream_version if known else 0 for _, known in asked]
        positions = [known.position if known else 0 for _, known in asked]
        streams: dict[tuple[UUID, int], list[asyncpg.Record]] = {}
        for row in await self._pool.fetch(_LOAD_SQL, products, versions, positions):
            streams.setdefault((row[0], row[1]), []).append(row)
        found = zip(asked, zip(products, versions, strict=True), strict=True)
        return {each: streams[place] for each, place in found if place in streams}

    async def _find_answers(self, keys: list[UUID]) -> Mapping[UUID, StoredAnswer]:
        rows = await self._pool.fetch(_ANSWERS_SQL, keys)
        return {key: StoredAnswer(*answer) for key, *answer in rows}

    async def _find_holders(self, asked: list[Reservation]) -> Mapping[Reservation, UUID]:
        kinds, values = [kind.encode() for kind, _ in asked], [value for _, value in asked]
        rows = await self._pool.fetch(_HOLDERS_SQL, kinds, values)
        return {(kind.decode(), value): product_id for kind, value, product_id in rows}


def _begins_at(known: StreamPlace, rows: Sequence[asyncpg.Record] | None) -> bool:
    return rows is not None and (rows[0][3], rows[0][4]) == (known.stream_version, known.metadata)
