"""Dead letters in PostgreSQL, stored in the transaction of the batch that they failed in."""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import msgspec

from projector.applying.dead_letters import (
    Action,
    DeadLetter,
    ParkedPlaces,
    ProductDeadLetter,
    StoredDeadLetter,
)
from projector.applying.records import ErrorClass
from projector.audit.postgres import record_action
from projector.errors import ParkingIsFull
from projector.postgres.failures import translated
from projector.postgres.text import storable
from shared.postgres.sql import load_sql

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

_SERVER = "read model"
_PACKAGE = "projector.parking.postgres"
_encode = msgspec.json.Encoder().encode


class ParkingLimits(NamedTuple):
    """Above these a projection waits for an operator instead of parking more."""

    products_max: int = 10_000
    events_per_product_max: int = 10_000


DEFAULT_LIMITS = ParkingLimits()


class PostgresParking:
    """Implements `Parking` for one projection, on the connection of the batch."""

    def __init__(
        self,
        connection: "PoolConnectionProxy[asyncpg.Record]",
        projection: str,
        limits: ParkingLimits = DEFAULT_LIMITS,
    ) -> None:
        self._connection = connection
        self._projection = projection
        self._limits = limits

    async def still_parked(self, product_ids: Collection[UUID]) -> set[UUID]:
        """The row locks let a batch and a retry of the same product run one after the other."""
        rows = await self._connection.fetch(
            load_sql(_PACKAGE, "lock_parked_products"), self._projection, list(product_ids)
        )
        return {row["product_id"] for row in rows}

    async def park(self, dead_letters: Sequence[DeadLetter]) -> None:
        """The records, then their products. Raises `ParkingIsFull`."""
        rows = [_row(dead_letter) for dead_letter in dead_letters]
        kept = await self._connection.fetch(
            load_sql(_PACKAGE, "park_dead_letters"), self._projection, *zip(*rows, strict=True)
        )
        counts = Counter(row["product_id"] for row in kept if row["product_id"] is not None)
        if len(kept) > counts.total():
            await self._refuse_too_many_alone()
        if not counts:
            return
        first = {
            one.event.product_id: one for one in reversed(dead_letters) if isinstance(one, ProductDeadLetter)
        }
        products = [(one, first[one].record, first[one], count) for one, count in counts.items()]
        await self._connection.execute(
            load_sql(_PACKAGE, "park_products"),
            self._projection,
            products[0][1].topic,
            [product_id for product_id, _, _, _ in products],
            [record.partition for _, record, _, _ in products],
            [dead_letter.error_class for _, _, dead_letter, _ in products],
            [storable(dead_letter.cause) for _, _, dead_letter, _ in products],
            [count for _, _, _, count in products],
        )
        await self._refuse_too_many(list(counts))

    async def parked(self, product_id: UUID) -> Sequence[StoredDeadLetter]:
        sql = load_sql(_PACKAGE, "select_dead_letters_of_product")
        return [
            stored_dead_letter(row) for row in await self._connection.fetch(sql, self._projection, product_id)
        ]

    async def parked_one(self, dead_letter_id: int) -> StoredDeadLetter | None:
        sql = load_sql(_PACKAGE, "lock_dead_letter")
        row = await self._connection.fetchrow(sql, self._projection, dead_letter_id)
        return None if row is None else stored_dead_letter(row)

    async def release(self, events: Sequence[StoredDeadLetter], action: Action) -> int:
        ids = [event.dead_letter_id for event in events]
        await self._connection.execute(load_sql(_PACKAGE, "delete_dead_letters"), self._projection, ids)
        product_id = events[0].product_id
        detail = ", ".join(f"{one.topic}[{one.partition}]@{one.offset}" for one in events)
        await record_action(self._connection, action, self._projection, product_id, detail)
        if product_id is None:
            return 0
        left = await self._connection.fetchval(
            load_sql(_PACKAGE, "count_down_parked_product"), self._projection, product_id
        )
        return int(left)

    async def failed_again(self, product_id: UUID, error_class: ErrorClass, cause: str) -> None:
        await self._connection.execute(
            load_sql(_PACKAGE, "mark_parked_product"),
            self._projection,
            product_id,
            error_class,
            storable(cause),
        )

    async def failed_alone(self, dead_letter_id: int, error_class: ErrorClass, cause: str) -> None:
        await self._connection.execute(
            load_sql(_PACKAGE, "mark_dead_letter"),
            self._projection,
            dead_letter_id,
            error_class,
            storable(cause),
        )

    async def _refuse_too_many_alone(self) -> None:
        count = await self._connection.fetchval(load_sql(_PACKAGE, "count_parked_alone"), self._projection)
        if count > self._limits.products_max:
            raise ParkingIsFull(f"more than {self._limits.products_max} single records are parked")

    async def _refuse_too_many(self, product_ids: Sequence[UUID]) -> None:
        row = await self._connection.fetchrow(
            load_sql(_PACKAGE, "select_parked_bounds"), self._projection, product_ids
        )
        assert row is not None  # aggregates return one row
        if row["products"] > self._limits.products_max:
            raise ParkingIsFull(f"more than {self._limits.products_max} products are parked")
        if row["events"] > self._limits.events_per_product_max:
            raise ParkingIsFull(
                f"a product has more than {self._limits.events_per_product_max} parked events"
            )


@asynccontextmanager
async def parking_alone(
    pool: "asyncpg.Pool[asyncpg.Record]", projection: str, limits: ParkingLimits
) -> AsyncIterator[PostgresParking]:
    """A transaction of its own, for a view that is not in PostgreSQL."""
    with translated(_SERVER):
        async with pool.acquire() as connection, connection.transaction():
            yield PostgresParking(connection, projection, limits)


def stored_dead_letter(row: "asyncpg.Record") -> StoredDeadLetter:
    """From a row of `select_dead_letters_of_product.sql` or `lock_dead_letter.sql`."""
    *fields, names, values = row
    return StoredDeadLetter._make([*fields, tuple(zip(names, values, strict=True))])


class PostgresParkedProducts:
    """Implements `ParkedProducts`."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", *, projection: str, topic: str) -> None:
        self._pool = pool
        self._projection = projection
        self._topic = topic

    async def places(self, partitions: Collection[int]) -> ParkedPlaces:
        """Two queries, when partitions are placed and not for each batch."""
        where = (self._projection, self._topic, list(partitions))
        with translated(_SERVER):
            products = await self._pool.fetch(load_sql(_PACKAGE, "select_parked_places"), *where)
            orders = await self._pool.fetch(load_sql(_PACKAGE, "select_park_orders"), *where)
        return ParkedPlaces(
            {row["product_id"] for row in products},
            {(row["partition"], row["record_offset"]): row["reason"] for row in orders},
        )


def _row(dead_letter: DeadLetter) -> tuple[Any, ...]:
    """The arguments of `park_dead_letters.sql` without the first. Headers are JSON, because unnest flattens
    arrays.
    """
    record, event = dead_letter.record, dead_letter.event
    values = [None if value is None else value.hex() for _, value in record.headers]
    return (
        dead_letter.event.product_id if isinstance(dead_letter, ProductDeadLetter) else None,
        record.topic,
        record.partition,
        record.offset,
        record.timestamp,
        record.key,
        record.value,
        _encode([storable(name) for name, _ in record.headers]).decode(),
        _encode(values).decode(),
        None if event is None else event.log_position,
        None if event is None else event.stream_version,
        None if event is None else event.metadata.event_id,
        None if event is None else storable(event.event_type),
        None if event is None else storable(event.metadata.correlation_id),
        dead_letter.error_class,
        storable(dead_letter.cause),
    )
