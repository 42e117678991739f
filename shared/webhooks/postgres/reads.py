"""Adapters of the ports of `reading.py`; each API brings its own pools."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import msgspec

from shared.postgres.sql import load_sql
from shared.webhooks.endpoint import decoded
from shared.webhooks.errors import DeliveryNotFound
from shared.webhooks.reading import Attempt, Delivering, Delivery, DeliveryState, KnownEndpoint

_SQL = "shared.webhooks.postgres"
_attempts = msgspec.json.Decoder(list[Attempt])


class Fetches(Protocol):
    """Runs a statement in time, or raises what the API answers an outage with."""

    async def fetch(self, sql: str, *parameters: Any) -> Sequence[asyncpg.Record]:
        """All rows."""
        ...


class PostgresEndpointReads:
    """Adapter of `EndpointReads`."""

    def __init__(self, event_store: Fetches) -> None:
        self._event_store = event_store

    async def page(self, owner: str | None, after: UUID | None, rows_max: int) -> Sequence[KnownEndpoint]:
        rows = await self._event_store.fetch(load_sql(_SQL, "select_endpoints"), owner, after, rows_max)
        return [_known(*row) for row in rows]

    async def find(self, endpoint_id: UUID) -> KnownEndpoint | None:
        rows = await self._event_store.fetch(load_sql(_SQL, "select_endpoint"), endpoint_id)
        return _known(*rows[0]) if rows else None


class PostgresDeliveryReads:
    """Adapter of `DeliveryReads`."""

    def __init__(self, read_model: Fetches) -> None:
        self._read_model = read_model

    async def states(self, endpoint_ids: Sequence[UUID]) -> Mapping[UUID, Delivering]:
        rows = await self._read_model.fetch(load_sql(_SQL, "select_delivery_states"), list(endpoint_ids))
        return {endpoint_id: Delivering(*state) for endpoint_id, *state in rows}

    async def page(
        self, endpoint_id: UUID, state: DeliveryState | None, before: int | None, rows_max: int
    ) -> Sequence[Delivery]:
        sql = load_sql(_SQL, "select_deliveries")
        rows = await self._read_model.fetch(sql, endpoint_id, state, before, rows_max)
        return [_delivery(*row) for row in rows]

    async def log_position(self, endpoint_id: UUID, delivery_id: int) -> int | None:
        rows = await self._read_model.fetch(load_sql(_SQL, "select_delivery"), endpoint_id, delivery_id)
        if not rows:
            raise DeliveryNotFound
        position: int | None = rows[0]["log_position"]
        return position


def _known(
    endpoint_id: UUID, stream_version: int, owner: str, document: str, expires_at: Any
) -> KnownEndpoint:
    return KnownEndpoint(endpoint_id, stream_version, owner, decoded(document), expires_at)


def _delivery(*columns: Any) -> Delivery:
    *first, attempts, next_attempt_at = columns
    return Delivery._make([*first, _attempts.decode(attempts), next_attempt_at])
