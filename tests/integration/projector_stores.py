"""What the suites of views ask for, over the real read model."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import UUID

from projector.applying.dead_letters import Action, Parking
from projector.applying.ports import View
from projector.control.ports import PartitionLag
from projector.control.postgres import PostgresControl
from projector.parking.postgres.dead_letters import PostgresDeadLetters
from projector.parking.postgres.parking import (
    DEFAULT_LIMITS,
    ParkingLimits,
    PostgresParkedProducts,
    parking_alone,
    stored_dead_letter,
)
from shared.postgres.sql import load_sql
from tests.in_memory.rows import Done, KeptProduct, KeptRecord
from tests.integration.lock_waits import lock_waits
from tests.unit.projector.records import TOPIC

_RECORDS = """
    SELECT cause, copied_at IS NOT NULL, parked_event_id, product_id, stream_version, event_id, error_class,
           topic, partition, record_offset, record_timestamp, key, value, header_names, header_values
    FROM views.parked_event ORDER BY parked_event_id
"""
_PRODUCTS = """
    SELECT product_id, topic, partition, error_class, cause, events, attempts FROM views.parked_product
"""
_LAGS = """
    SELECT projection, topic, partition, log_position, next_offset, lag_events, lag_seconds, trouble, log_id
    FROM views.projection_lag ORDER BY projection, topic, partition
"""
_DONE = (
    "SELECT actor, action, reason, product_id, detail FROM views.operator_action ORDER BY operator_action_id"
)


class PostgresStores:
    """Implements `view_suites.Stores`; `make_view` makes the view of one more process."""

    def __init__(
        self, read_model: Any, projection: str, make_view: Callable[[ParkingLimits], View[Any]]
    ) -> None:
        self._read_model = read_model
        self._projection = projection
        self._make_view = make_view

    def view(self, limits: ParkingLimits = DEFAULT_LIMITS) -> View[Any]:
        return self._make_view(limits)

    def parked_products(self) -> PostgresParkedProducts:
        return PostgresParkedProducts(self._read_model, projection=self._projection, topic=TOPIC)

    async def records(self) -> Sequence[KeptRecord]:
        rows = await self._read_model.fetch(_RECORDS)
        return [KeptRecord(stored_dead_letter(fields), cause, copied) for cause, copied, *fields in rows]

    async def products(self) -> Mapping[UUID, KeptProduct]:
        rows = await self._read_model.fetch(_PRODUCTS)
        return {row["product_id"]: KeptProduct._make(tuple(row)[1:]) for row in rows}

    async def done(self) -> Sequence[Done]:
        rows = await self._read_model.fetch(_DONE)
        return [Done(Action(*fields), product_id, detail) for *fields, product_id, detail in rows]

    async def order(self, partition: int, offset: int, reason: str) -> None:
        sql = load_sql("projector.parking.postgres", "insert_park_order")
        await self._read_model.execute(sql, self._projection, TOPIC, partition, offset, reason)

    async def somebody_waits(self) -> None:
        await lock_waits(self._read_model, 1)


class PostgresControlStores:
    """Implements `control_suites.ControlStores`."""

    def __init__(self, read_model: Any) -> None:
        self._read_model = read_model

    def board(self) -> PostgresControl:
        return PostgresControl(self._read_model)

    def dead_letters(self) -> PostgresDeadLetters:
        return PostgresDeadLetters(self._read_model)

    def parking(self, projection: str) -> AbstractAsyncContextManager[Parking]:
        return parking_alone(self._read_model, projection, DEFAULT_LIMITS)

    async def lags(self) -> Sequence[tuple[str, str, PartitionLag]]:
        rows = await self._read_model.fetch(_LAGS)
        return [
            (projection, topic, PartitionLag(*lag, None if log_id is None else UUID(int=log_id.int)))
            for projection, topic, *lag, log_id in rows
        ]
