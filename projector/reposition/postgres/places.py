"""Places a projection in the read model, in one transaction.

A view's checkpoints are set, those in another store just before. A projection whose place is kept by its
group in Kafka gets starting places, because only a member of a group can move it: its consumers begin there,
and commit that to the group.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from projector.applying.dead_letters import Action
from projector.applying.ports import EventLog
from projector.audit.postgres import record_action
from projector.control.postgres import PostgresPlaceOrders
from projector.errors import LogDiffers
from projector.postgres.failures import translated
from projector.reposition.ports import Places
from shared.postgres.sql import load_sql

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy[asyncpg.Record]

_SERVER = "read model"
_PACKAGE = "projector.reposition.postgres"
Also = Callable[["Connection"], Awaitable[None]]
"""More that has to happen in the transaction."""
Elsewhere = Callable[[Places], Awaitable[None]]
"""Sets checkpoints in another store. May be repeated. Raises `LogDiffers`, `Unavailable`."""


class PostgresPlaces:
    """Of one projection in one topic. `has_checkpoints` False: its group keeps the place. `elsewhere`: its
    checkpoints are not in the read model.
    """

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        log: EventLog,
        *,
        projection: str,
        topic: str,
        has_checkpoints: bool,
        also: "Also | None" = None,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self._pool = pool
        self._elsewhere = elsewhere
        self._projection = projection
        self._topic = topic
        self.has_checkpoints = has_checkpoints
        self._also = also
        self.reported = PostgresPlaceOrders(pool, log, projection=projection, topic=topic).reported

    def begin_at(self, topic: str, places: Places) -> "Also":
        """Its group in another topic of the projection begins at these places, too."""
        partitions, offsets = list(places.next_offsets), list(places.next_offsets.values())

        async def order(connection: "Connection") -> None:
            sql = load_sql(_PACKAGE, "order_starting_places")
            await connection.execute(
                sql, self._projection, topic, partitions, offsets, places.log_position, places.log_id
            )

        return order

    async def place(self, places: Places, action: Action, detail: str, *, also: "Also | None" = None) -> None:
        """Raises `LogDiffers`, `Unavailable`. `also`: more for this time."""
        where = (self._projection, self._topic)
        partitions, offsets = list(places.next_offsets), list(places.next_offsets.values())
        values = (partitions, offsets, places.log_position, places.log_id)
        with translated(_SERVER):
            async with self._pool.acquire() as connection, connection.transaction():
                if self._elsewhere is not None:
                    await self._elsewhere(places)
                elif self.has_checkpoints:
                    sql = load_sql(_PACKAGE, "place_checkpoints")
                    if await connection.fetchval(sql, *where, *values) != len(partitions):
                        raise LogDiffers(f"{self._projection} has events of another log")
                else:
                    await connection.execute(load_sql(_PACKAGE, "order_starting_places"), *where, *values)
                    note = load_sql(_PACKAGE, "note_log_position")
                    await connection.execute(note, *where, partitions, places.log_position, places.log_id)
                await connection.execute(load_sql(_PACKAGE, "renumber_dead_letters"), *where)
                await connection.execute(load_sql(_PACKAGE, "delete_park_orders"), *where)
                for more in (self._also, also):
                    if more is not None:
                        await more(connection)
                sql = load_sql("projector.control", "start_anew")
                await connection.execute(sql, self._projection, action.reason)
                await record_action(connection, action, self._projection, None, detail)
