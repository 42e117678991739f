"""The shadow of a view's tables, in `views_shadow`: filled in bulk, compared, then made the live tables.

The switch locks the live view's checkpoints, so that no batch is running, brings the shadow to the end
of the log, and moves the tables between schemas in the same transaction: readers see the previous view or the
new one, and the consumers continue at their checkpoints, which the new view has passed already.
"""

import asyncio
import json
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic
from uuid import UUID

import asyncpg

from projector.applying.ports import Change, Held, S
from projector.errors import CannotGoOn, Unavailable
from projector.postgres.failures import translated
from projector.rebuild.bulk_fold import Failed
from projector.rebuild.ports import CATCHING_UP, SWITCHED, CatchingUp, Comparison
from projector.rebuild.postgres.record import RebuildRecords
from projector.rebuild.postgres.shadow_comparison import compare
from projector.rebuild.postgres.shadow_parking import ParkedAnew
from projector.views.postgres.tables import Tables
from shared.ops.logs import get_logger
from shared.postgres.sql import load_sql

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy[asyncpg.Record]

_SERVER = "read model"
_PACKAGE = "projector.rebuild.postgres"
_PRODUCTS_PER_COPY_MAX = 5_000
_SWITCH_ATTEMPTS_MAX = 50
_SWITCH_PAUSE_SECONDS = 0.2
_LONG_SECONDS = 86_400.0
_IN_USE = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)
Returned = Callable[["Connection"], Awaitable[None]]
_log = get_logger(__name__)


class PostgresShadow(Generic[S]):
    """Implements `Shadow`; `live` and `shadow` are the same tables in their two schemas.

    `returned` is called in the transaction of a rollback, when the previous tables are the live ones again.
    """

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        records: RebuildRecords,
        live: Tables[S],
        shadow: Tables[S],
        parked: ParkedAnew[S],
        *,
        projection: str,
        topic: str,
        partition_count: int,
        returned: "Returned | None" = None,
    ) -> None:
        self._pool = pool
        self._returned = returned
        self._records = records
        self._live = live
        self._shadow = shadow
        self._parked = parked
        self._projection = projection
        self._topic = topic
        self._partition_count = partition_count

    async def make(self) -> None:
        await self._call("make_shadow", self._projection)

    async def load(
        self, which: int, events: int, changes: Iterable[Change[S]], failures: Mapping[UUID, Failed]
    ) -> None:
        """The slice and its mark are one transaction."""
        async with self._records.owned() as connection:
            if not await self._records.mark_slice(connection, which, events):
                return
            for some in _batched(changes, _PRODUCTS_PER_COPY_MAX):
                await self._shadow.load(connection, some)
            if failures:
                await self._records.fail(connection, failures)

    async def finish_loading(self) -> None:
        """Without the usual time limit, because an index may take longer."""
        async with self._records.owned(is_long=True) as connection:
            sql = load_sql(_PACKAGE, "index_shadow")
            await connection.fetchval(sql, self._projection, timeout=_LONG_SECONDS)

    @asynccontextmanager
    async def begin(self, reached: int | None) -> AsyncIterator["_Writer[S]"]:
        """The stretch and the position are one transaction."""
        async with self._records.owned() as connection:
            yield _Writer(connection, self._shadow, self._records)
            if reached is not None:
                await self._records.mark_position(connection, reached)

    async def compare(self, catch_up: CatchingUp) -> Comparison:
        with translated(_SERVER):
            return await compare(self._pool, self._projection, self._topic, self._partition_count, catch_up)

    async def switch(self, catch_up: CatchingUp) -> None:
        """If the tables are in use, it lets readers go on before the next attempt."""

        async def attempt() -> None:
            await catch_up.apply(await catch_up.newest())
            await self._switch(catch_up)

        await self._until_tables_are_free(attempt)

    async def switch_back(self, catch_up: CatchingUp) -> None:
        """Fences the consumers; they continue where the previous view was at the switch."""
        await self._until_tables_are_free(self._switch_back)

    async def _until_tables_are_free(self, attempt: Callable[[], Awaitable[None]]) -> None:
        """To move a table waits for its readers, and new readers queue behind it.

        So each attempt waits only shortly, and they go on before the next one.
        """
        for number in range(1, _SWITCH_ATTEMPTS_MAX + 1):
            try:
                await attempt()
            except Unavailable as error:
                if not isinstance(error.__cause__, _IN_USE):
                    raise
                _log.warning(
                    "the switch waits for its tables",
                    projection=self._projection,
                    attempt=number,
                )
                await asyncio.sleep(_SWITCH_PAUSE_SECONDS)
            else:
                return
        raise CannotGoOn(f"the tables of {self._projection} were in use at every attempt; try again later")

    async def _switch(self, catch_up: CatchingUp) -> None:
        record = await self._records.read()
        assert record is not None, "a rebuild is under way"
        async with self._records.owned() as connection:
            await connection.execute(load_sql(_PACKAGE, "with_short_lock_waits"))
            checkpoints = await self._locked_checkpoints(connection)
            await catch_up.apply(await catch_up.newest())
            await connection.fetchval(load_sql(_PACKAGE, "switch_shadow"), self._projection)
            sql = load_sql(_PACKAGE, "adopt_log")
            where = (self._projection, self._topic, self._partition_count)
            await connection.execute(sql, *where, catch_up.reached, record.log_id)
            if any(UUID(int=one["log_id"].int) != record.log_id for one in checkpoints):
                await self._forget_other_log(connection)
            await self._parked.settle(connection, await self._records.failures(), self._live)
            await self._records.mark_phase(connection, SWITCHED, checkpoints=checkpoints)

    async def _forget_other_log(self, connection: "Connection") -> None:
        """The view before was made from another log: its dead letters mean nothing any more."""
        await connection.execute(load_sql(_PACKAGE, "delete_dead_letters_of_other_log"), self._projection)
        sql = load_sql("projector.control", "start_anew")
        await connection.execute(sql, self._projection, "rebuilt from another log")

    async def _switch_back(self) -> None:
        record = await self._records.read()
        async with self._records.owned() as connection:
            await connection.execute(load_sql(_PACKAGE, "with_short_lock_waits"))
            if record is None or not await connection.fetchval(
                load_sql(_PACKAGE, "has_previous_tables"), self._projection
            ):
                raise CannotGoOn(f"there is no previous view of {self._projection} to roll back to")
            await self._locked_checkpoints(connection)
            await connection.fetchval(load_sql(_PACKAGE, "switch_back"), self._projection)
            if self._returned is not None:
                await self._returned(connection)
            old = json.loads(record.checkpoints)
            await connection.execute(
                load_sql(_PACKAGE, "set_checkpoints_back"),
                self._projection,
                self._topic,
                [one["partition"] for one in old],
                [one["next_offset"] for one in old],
                [one["log_position"] for one in old],
                [UUID(one["log_id"]) for one in old],
            )
            await self._records.mark_phase(connection, CATCHING_UP)
            # Consumers are notified: an idle one would not notice that it is behind again.
            sql = load_sql("projector.control", "set_projection_control")
            await connection.execute(sql, self._projection, False, "rolled back")

    async def drop(self) -> None:
        await self._call("drop_copy", self._projection, "views_shadow")

    async def drop_previous(self) -> None:
        await self._call("drop_copy", self._projection, "views_previous")

    async def _locked_checkpoints(self, connection: "Connection") -> list[dict[str, Any]]:
        """Until the transaction ends, no batch of any partition runs."""
        of_source = (self._projection, self._topic)
        sql = load_sql(_PACKAGE, "insert_absent_checkpoints")
        await connection.execute(sql, *of_source, self._partition_count)
        await connection.execute(load_sql(_PACKAGE, "delete_absent_checkpoints"), *of_source)
        return [
            dict(row) for row in await connection.fetch(load_sql(_PACKAGE, "lock_checkpoints"), *of_source)
        ]

    async def _call(self, name: str, *arguments: object) -> None:
        async with self._records.owned() as connection:
            await connection.fetchval(load_sql(_PACKAGE, name), *arguments)


class _Writer(Generic[S]):
    """Implements `ShadowWriter`."""

    def __init__(self, connection: "Connection", tables: Tables[S], records: RebuildRecords) -> None:
        self._connection = connection
        self._tables = tables
        self._records = records

    async def held(self, product_ids: Collection[UUID]) -> Mapping[UUID, Held[S]]:
        return await self._tables.held(self._connection, product_ids) if product_ids else {}

    async def save(self, changes: Sequence[Change[S]]) -> None:
        await self._tables.save(self._connection, changes)

    async def fail(self, failures: Mapping[UUID, Failed]) -> None:
        await self._records.fail(self._connection, failures)


def _batched(changes: Iterable[Change[S]], size: int) -> Iterator[list[Change[S]]]:
    iterator = iter(changes)
    while some := list(islice(iterator, size)):
        yield some
