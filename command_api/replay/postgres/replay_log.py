"""Reads the event log for a replay: with a read-only role, one bounded statement at a time.

A filtered read returns the position up to which it has searched, and not only events: a window of the log may
have no event of a rare type, and one endless statement must not search for the next. If a limit cut the
result, the search ended at the last event; otherwise at the statement's upper bound.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

import asyncpg

from command_api.relay.ports import OperatorNeeded
from command_api.relay.postgres.log_rows import (
    read_log_id,
    read_relay_cursor,
    recorded,
    refuse_removed,
    translated,
)
from command_api.replay.ports import Count, Selection, Stretch
from shared.contract.recorded_event import RecordedEvent
from shared.ops.secret import Secret
from shared.postgres.pool import connect
from shared.postgres.session_check import WrongWay, direct_check
from shared.postgres.sql import load_sql

_SQL = "command_api.replay.postgres"
_CLOSE_SECONDS_MAX = 1.0


class ReplayLimits(NamedTuple):
    """Limits of one statement: bytes returned, log positions searched, seconds."""

    bytes_max: int
    window_positions_max: int
    statement_seconds_max: float


class PostgresReplayLog:
    """Adapter of `ports.ReplayLog`; made by `open`."""

    def __init__(
        self, connection: "asyncpg.Connection[asyncpg.Record]", log_id: bytes, limits: ReplayLimits
    ) -> None:
        self.log_id = log_id
        self._connection = connection
        self._limits = limits

    @classmethod
    async def open(cls, dsn: Secret | str, limits: ReplayLimits) -> "PostgresReplayLog":
        """Connect as the reader role; a replica is enough. Raises `LogUnavailable`.

        Raises `OperatorNeeded` for a pooler, which refuses the limit of a statement, or drops it.
        """
        with translated():
            try:
                await direct_check(dsn, "EVENT_STORE_READ_DSN")()
            except WrongWay as error:
                raise OperatorNeeded(str(error)) from error
            connection = await connect(
                dsn,
                application_name="catalogue-replay",
                statement_timeout_seconds=limits.statement_seconds_max,
            )
            return cls(connection, await read_log_id(connection), limits)

    async def newest_position(self) -> int:
        with translated():
            return int(await self._connection.fetchval(load_sql(_SQL, "read_newest_position")))

    async def relayed_position(self) -> int:
        with translated():
            return await read_relay_cursor(self._connection)

    async def read_after(self, log_position: int, selection: Selection, events_max: int) -> Stretch:
        name = "read_replay_of_products" if selection.product_ids else "read_replay"
        scan_to, arguments = self._scan(log_position, selection)
        bounds = (events_max, self._limits.bytes_max)
        with translated():
            rows = await self._connection.fetch(load_sql(_SQL, name), *arguments[:3], *bounds, *arguments[3:])
            await self._refuse_removed(log_position, scan_to, selection)
        events = recorded(rows)
        is_cut = len(events) < len(rows) or len(rows) == events_max or self._is_full(events)
        return Stretch(events, events[-1].log_position if is_cut else scan_to)

    async def count_after(self, log_position: int, selection: Selection) -> Count:
        name = "count_replay_of_products" if selection.product_ids else "count_replay"
        scan_to, arguments = self._scan(log_position, selection)
        with translated():
            count = Count(int(await self._connection.fetchval(load_sql(_SQL, name), *arguments)), scan_to)
            await self._refuse_removed(log_position, scan_to, selection)
        return count

    async def _refuse_removed(self, after: int, upto: int, selection: Selection) -> None:
        """Products that are not gone have all their events, wherever partitions are missing."""
        chosen = list(selection.product_ids)
        if not chosen or await self._connection.fetchval(load_sql(_SQL, "count_gone"), chosen):
            await refuse_removed(self._connection, after, upto)

    async def close(self) -> None:
        """Tells the server, if it answers within a second."""
        with suppress(Exception):
            await self._connection.close(timeout=_CLOSE_SECONDS_MAX)

    def _scan(self, log_position: int, selection: Selection) -> tuple[int, Sequence[object]]:
        """The upper bound of a statement, and its arguments. A search by product uses an index and needs no
        window.
        """
        types = list(selection.event_types) or None
        if selection.product_ids:
            arguments = (log_position, selection.last, types, list(selection.product_ids))
            return selection.last, arguments
        scan_to = min(selection.last, log_position + self._limits.window_positions_max)
        return scan_to, (log_position, scan_to, types)

    def _is_full(self, events: Sequence[RecordedEvent]) -> bool:
        """Whether the limit of bytes may have cut the result."""
        return sum(len(event.data) for event in events) >= self._limits.bytes_max
