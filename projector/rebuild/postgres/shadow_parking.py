"""The dead letters after a switch: the events that the new view could not apply.

A rebuild reads the log, so these events are parked as the log has them (`projector/parking/log_records.py`).
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Generic, Protocol
from uuid import UUID

from projector.applying.dead_letters import ProductDeadLetter
from projector.applying.ports import EventLog, Held, S
from projector.parking.log_records import made_record
from projector.parking.postgres.parking import ParkingLimits, PostgresParking
from projector.rebuild.bulk_fold import Failed
from shared.contract.recorded_event import RecordedEvent
from shared.postgres.sql import load_sql

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy[asyncpg.Record]

_PACKAGE = "projector.rebuild.postgres"


class Live(Protocol[S]):
    """The view that readers see, read in the transaction of the switch."""

    async def held(
        self, connection: "Connection", product_ids: Collection[UUID]
    ) -> Mapping[UUID, Held[S]]: ...


class ParkedAnew(Generic[S]):
    """The dead letters of one projection after its switch."""

    def __init__(
        self,
        log: EventLog,
        *,
        projection: str,
        topic: str,
        partition_count: int,
        limits: ParkingLimits,
    ) -> None:
        self._log = log
        self._projection = projection
        self._topic = topic
        self._partition_count = partition_count
        self._limits = limits

    async def settle(
        self, connection: "Connection", failures: Mapping[UUID, Failed], live: "Live[S]"
    ) -> None:
        """Call it in the transaction of the switch; `live` is the view that readers see after it.

        Raises `ParkingIsFull`, `Unavailable`, asyncpg's errors.
        """
        sql = load_sql(_PACKAGE, "select_parked_product_ids")
        parked = [row["product_id"] for row in await connection.fetch(sql, self._projection)]
        if parked:
            await self._release(connection, parked, live)
        if failures:
            await self._park(connection, failures)

    async def _release(self, connection: "Connection", parked: Sequence[UUID], live: "Live[S]") -> None:
        held = await live.held(connection, parked)
        ids, versions = list(held), [one.stream_version for one in held.values()]
        await connection.fetchval(load_sql(_PACKAGE, "release_superseded"), self._projection, ids, versions)
        await connection.execute(load_sql(_PACKAGE, "recount_parked_products"), self._projection)

    async def _park(self, connection: "Connection", failures: Mapping[UUID, Failed]) -> None:
        rows = await connection.fetch(
            load_sql(_PACKAGE, "select_parked_versions"), self._projection, list(failures)
        )
        there = {(row["product_id"], row["stream_version"]) for row in rows}
        log_id = await self._log.log_id()
        behind = await self._log.events_after(
            {product_id: failed.stream_version - 1 for product_id, failed in failures.items()}
        )
        dead_letters = []
        for product_id, events in behind.items():
            failed = failures[product_id]
            for event in events:
                if (product_id, event.stream_version) not in there:
                    dead_letters.append(self._dead_letter(event, failed, log_id))
        if dead_letters:
            await PostgresParking(connection, self._projection, self._limits).park(dead_letters)

    def _dead_letter(self, event: RecordedEvent, failed: Failed, log_id: UUID) -> ProductDeadLetter:
        record = made_record(event, self._topic, self._partition_count, log_id)
        if event.stream_version == failed.stream_version:
            return ProductDeadLetter(record, event, failed.error_class, failed.cause)
        return ProductDeadLetter(record, event, "follower", "an earlier event of the product is parked")
