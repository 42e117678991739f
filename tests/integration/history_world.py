"""A query API over a real event log, with a hand that appends, as the writer would have done."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest_asyncio

from shared.access.scopes import Scope
from shared.contract import events as e
from shared.contract.recorded_event import RecordedEvent
from tests.guards import bearer
from tests.integration.event_store_world import insert_events
from tests.integration.query_world import REDIS_SECONDS_MAX, World, installation
from tests.past_events import past_events
from tests.servers import DatabaseDsns
from tests.tokens import ISSUER, public_document

READER = bearer(Scope.PRODUCTS_READ)
EDITOR = bearer(Scope.PRODUCTS_READ, Scope.PRODUCTS_READ_DRAFTS)
AUDITOR = bearer(Scope.PRODUCTS_READ, Scope.PRODUCTS_AUDIT)
ALL = bearer(Scope.PRODUCTS_READ, Scope.PRODUCTS_READ_DRAFTS, Scope.PRODUCTS_AUDIT)
GUARDED = {"auth_issuer": ISSUER, "auth_public_keys": public_document("first").decode()}
UNLIMITED = {"reads_per_second_max": 0, "failed_authentications_per_second_max": 0}


@dataclass
class PastWorld:
    """What a reader asks, and the log."""

    query: World
    log: "asyncpg.Connection[asyncpg.Record]"

    async def append(self, events: Sequence[RecordedEvent]) -> UUID:
        """Events of one product, from its first version on; returns its id."""
        await append(self.log, events)
        return events[0].product_id

    async def happened(self, *happened: e.ProductEvent, **told: Any) -> UUID:
        """A product with these events (`past_events`); returns its id."""
        return await self.append(past_events(*happened, **told))

    async def get(
        self, product_id: UUID, what: str = "", headers: Mapping[str, str] | None = None, **parameters: Any
    ) -> httpx.Response:
        """`what` is the end of the path, such as `/history`."""
        address = f"/v1/products/{product_id}{what}"
        return await self.query.served.get(address, params=parameters, headers=headers)


async def append(log: "asyncpg.Connection[asyncpg.Record]", events: Sequence[RecordedEvent]) -> None:
    """As the append function leaves the log: the events, and the row of their stream."""
    last = events[-1]
    async with log.transaction():
        await insert_events(log, events)
        await log.execute(
            "INSERT INTO catalogue.streams VALUES ($1, $2, $3, $4) ON CONFLICT (product_id) DO"
            " UPDATE SET stream_version = excluded.stream_version, last_position = excluded.last_position",
            last.product_id, last.stream_version, events[0].log_position, last.log_position,
        )  # fmt: skip


@asynccontextmanager
async def past_world(
    read_model: DatabaseDsns, event_store: DatabaseDsns, redis_url: str, **settings: Any
) -> AsyncIterator[PastWorld]:
    """With a query API of its own."""
    usual = {"event_store_read_dsn": event_store.log_reader, "redis_seconds_max": REDIS_SECONDS_MAX}
    owner = await asyncpg.connect(event_store.owner)
    try:
        async with installation(read_model, redis_url, **{**usual, **settings}) as own, own.world() as query:
            yield PastWorld(query, owner)
    finally:
        await owner.close()


@pytest_asyncio.fixture(scope="module")
async def past(
    read_model_of_module: DatabaseDsns, event_store_of_module: DatabaseDsns, redis_url_of_module: str
) -> AsyncIterator[PastWorld]:
    """Everybody may do everything. Shared by a module: each test has products of its own."""
    async with past_world(read_model_of_module, event_store_of_module, redis_url_of_module) as world:
        yield world


@pytest_asyncio.fixture(scope="module")
async def guarded_past(
    read_model_of_module: DatabaseDsns, event_store_of_module: DatabaseDsns, redis_url_of_module: str
) -> AsyncIterator[PastWorld]:
    """Callers need tokens."""
    stores = read_model_of_module, event_store_of_module, redis_url_of_module
    async with past_world(*stores, **GUARDED, **UNLIMITED) as world:
        yield world


def days_ago(days: float) -> datetime:
    """A time before now."""
    return datetime.now(UTC) - timedelta(days)
