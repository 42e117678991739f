"""Webhooks over real databases: endpoints are registered as the command API stores them, events appended as
the log has them, and any number of delivery loops run.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec

from projector.settings import ProjectorSettings
from projector.stores import open_stores
from projector.webhooks.loop import WebhookLoop
from projector.webhooks.parts import webhook_loop
from shared.contract.recorded_event import RecordedEvent
from shared.ops.concurrency.waits import stopped
from shared.ops.secret import Secret
from shared.webhooks import endpoint as webhook_endpoint
from shared.webhooks.endpoint import EndpointDocument, SealedKey, Signature, encoded
from shared.webhooks.sealed_keys import SealedKeys
from shared.webhooks.signatures import SigningKey, new_key
from tests.integration.history_world import append
from tests.servers import DatabaseDsns

SECRET_KEY = "of-these-tests"
_APPEND = """
    SELECT outcome FROM catalogue.append_webhook_events($1, $2, $3, $4::text[]::jsonb[], $5, $6, $7, $8, 100)
"""
_DELIVERIES = """
    SELECT delivery_id, state, webhook_id, event_type, log_position, body IS NULL AS is_bodiless,
           attempts::text AS attempts
    FROM views.webhook_delivery WHERE endpoint_id = $1 ORDER BY delivery_id
"""


class Registered:
    """An endpoint of a test: what its owner knows of it."""

    def __init__(self, endpoint_id: UUID, document: EndpointDocument, key: SigningKey) -> None:
        self.endpoint_id = endpoint_id
        self.document = document
        self.key = key
        self.version = 1


class WebhookWorld:
    """`log` and `read_model` are connections of the databases' owners."""

    def __init__(self, event_store: DatabaseDsns, read_model: DatabaseDsns, **settings: Any) -> None:
        self._event_store = event_store
        self._read_model = read_model
        self._settings = settings
        self._keys = SealedKeys(Secret(SECRET_KEY))
        self.log: asyncpg.Connection[asyncpg.Record]
        self.read_model: asyncpg.Connection[asyncpg.Record]

    async def connect(self, stack: AsyncExitStack) -> None:
        self.log = await asyncpg.connect(self._event_store.owner)
        stack.push_async_callback(self.log.close)
        self.read_model = await asyncpg.connect(self._read_model.owner)
        stack.push_async_callback(self.read_model.close)

    def settings(self, **settings: Any) -> ProjectorSettings:
        usual: dict[str, Any] = {
            "read_model_dsn": Secret(self._read_model.projector),
            "event_store_read_dsn": Secret(self._event_store.log_reader),
            "webhook_secret_key": Secret(SECRET_KEY),
            "webhook_networks_allowed": "127.0.0.0/8",
            "webhook_poll_seconds": 0.02,
            "webhook_endpoints_poll_seconds": 0.05,
            "webhook_retry_seconds": "0.05,0.05",
        }
        return ProjectorSettings(_env_file=None, **{**usual, **self._settings, **settings})

    async def register(self, url: str, signature: Signature = "hmac", **fields: Any) -> Registered:
        """As the command API does."""
        key, now = new_key(signature), datetime.now(UTC)
        usual: dict[str, Any] = {
            "description": "", "types": None, "product_ids": None, "is_enabled": True,
            "keys": (SealedKey(self._keys.seal(key.key)),), "public_key": key.public,
            "created_at": now, "updated_at": now,
        }  # fmt: skip
        document = EndpointDocument(url=url, signature=signature, **{**usual, **fields})
        made = Registered(uuid4(), document, key)
        await self._append(made, 0, webhook_endpoint.REGISTERED, {})
        return made

    async def change(
        self,
        endpoint: Registered,
        event_type: str = webhook_endpoint.CHANGED,
        data: Any = None,
        **fields: Any,
    ) -> None:
        """One more event of its stream."""
        endpoint.document = msgspec.structs.replace(endpoint.document, **fields)
        await self._append(endpoint, endpoint.version, event_type, data or {})
        endpoint.version += 1

    async def rotate(self, endpoint: Registered, expires_at: datetime) -> SigningKey:
        """A new key; the old one signs, too, until it expires."""
        new = new_key(endpoint.document.signature)
        old = msgspec.structs.replace(endpoint.document.keys[0], expires_at=expires_at)
        keys = (SealedKey(self._keys.seal(new.key)), old)
        await self.change(endpoint, webhook_endpoint.KEY_ROTATED, keys=keys)
        return new

    async def _append(self, endpoint: Registered, expected: int, event_type: str, data: Any) -> None:
        outcome = await self.log.fetchval(
            _APPEND,
            endpoint.endpoint_id,
            expected,
            [event_type],
            [msgspec.json.encode(data).decode()],
            "ann",
            "ann",
            event_type == webhook_endpoint.DELETED,
            encoded(endpoint.document),
        )
        assert outcome == "appended"

    async def happen(self, *streams: Sequence[RecordedEvent]) -> None:
        """The events of each product are in the log now."""
        for events in streams:
            await append(self.log, events)

    async def deliveries(self, endpoint: Registered) -> list[Any]:
        """In the order in which they were queued; `attempts` as text."""
        return list(await self.read_model.fetch(_DELIVERIES, endpoint.endpoint_id))

    async def endpoint_row(self, endpoint: Registered) -> Any:
        sql = "SELECT * FROM views.webhook_endpoint WHERE endpoint_id = $1"
        return await self.read_model.fetchrow(sql, endpoint.endpoint_id)

    async def lanes(self) -> int:
        return int(await self.read_model.fetchval("SELECT count(*) FROM views.webhook_lane"))

    @asynccontextmanager
    async def delivering(self, **settings: Any) -> AsyncIterator[WebhookLoop]:
        """As one more process."""
        async with AsyncExitStack() as stack:
            loop = webhook_loop(await open_stores(self.settings(**settings), 4, stack))
            stack.push_async_callback(stopped, asyncio.create_task(loop.run()))
            yield loop


@asynccontextmanager
async def webhook_world(
    event_store: DatabaseDsns, read_model: DatabaseDsns, **settings: Any
) -> AsyncIterator[WebhookWorld]:
    """Connected."""
    async with AsyncExitStack() as stack:
        world = WebhookWorld(event_store, read_model, **settings)
        await world.connect(stack)
        yield world
