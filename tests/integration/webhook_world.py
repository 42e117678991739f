"""Both APIs over real databases, with webhooks on, and hands for what the projector would write."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx

from command_api.http.answers import WriteApi
from command_api.http.app import write_port
from command_api.settings import CommandSettings
from command_api.webhooks.parts import webhook_routes
from query_api.assembly import query_api
from query_api.settings import QuerySettings
from shared.access.guard import Guard
from shared.ops.secret import Secret
from shared.postgres.pool import create_pool
from shared.webhooks.endpoint import EndpointDocument, decoded
from tests.executing import execute_command
from tests.in_memory_event_store import InMemoryEventStore
from tests.in_memory_import_runs import InMemoryImportRuns
from tests.servers import DatabaseDsns
from tests.unit.command_http.write_client import client_of, serving

PATH = "/v1/webhook-endpoints"
URL = "http://127.0.0.1:9/hooks"
"""Nobody listens there, and nothing is sent in these tests."""
READ_URL = "http://read.example.test"


@dataclass
class WebhookWorld:
    """`command` and `query` are clients of both APIs; the connections are the owner's and the projector's."""

    command: httpx.AsyncClient
    query: httpx.AsyncClient
    event_store: "asyncpg.Connection[asyncpg.Record]"
    read_model: "asyncpg.Connection[asyncpg.Record]"

    async def register(self, headers: dict[str, str] | None = None, **fields: Any) -> dict[str, Any]:
        """The answer's body."""
        answer = await self.command.post(PATH, json={"url": URL, **fields}, headers=headers)
        assert answer.status_code == 201, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def document(self, endpoint_id: str) -> EndpointDocument:
        """As it is stored."""
        sql = "SELECT document::text FROM catalogue.webhook_endpoints WHERE endpoint_id = $1"
        return decoded(await self.event_store.fetchval(sql, UUID(endpoint_id)))

    async def events(self, endpoint_id: str) -> list[tuple[str, Any]]:
        """The endpoint's stream: types with data."""
        sql = (
            "SELECT event_type, data::text FROM catalogue.webhook_events WHERE endpoint_id = $1"
            " ORDER BY stream_version"
        )
        rows = await self.event_store.fetch(sql, UUID(endpoint_id))
        return [(row[0], json.loads(row[1])) for row in rows]

    async def newest_event(self, endpoint_id: str) -> tuple[str, Any]:
        return (await self.events(endpoint_id))[-1]

    async def sees(self, endpoint_id: str, **columns: Any) -> None:
        """The projector has seen the endpoint, and knows this of it."""
        known: dict[str, Any] = {
            "endpoint_id": UUID(endpoint_id),
            "stream_version": 1,
            "document": "{}",
            "is_enabled": True,
            "log_position": 0,
            **columns,
        }
        names, places = ", ".join(known), ", ".join(f"${place}" for place in range(1, len(known) + 1))
        await self.read_model.execute(
            f"INSERT INTO views.webhook_endpoint ({names}) VALUES ({places})", *known.values()
        )

    async def queue(self, endpoint_id: str, product_id: UUID, state: str, **columns: Any) -> int:
        """A delivery; its id."""
        known: dict[str, Any] = {
            "endpoint_id": UUID(endpoint_id),
            "product_id": product_id,
            "webhook_id": str(uuid4()),
            "event_type": "product-created",
            "log_position": 1,
            "state": state,
            "body": b"{}" if state == "waiting" else None,
            **columns,
        }
        names, places = ", ".join(known), ", ".join(f"${place}" for place in range(1, len(known) + 1))
        return int(
            await self.read_model.fetchval(
                f"INSERT INTO views.webhook_delivery ({names}, event_time) VALUES ({places}, now())"
                " RETURNING delivery_id",
                *known.values(),
            )
        )


def command_settings(event_store: DatabaseDsns, read_model_dsn: str, **more: Any) -> CommandSettings:
    """With webhooks on, and receivers on this machine allowed."""
    given = {
        "webhook_secret_key": Secret("a key for tests"),
        "webhook_networks_allowed": "127.0.0.0/8",
        "read_url": READ_URL,
        **more,
    }
    return CommandSettings(
        _env_file=None,  # type: ignore[call-arg]
        event_store_dsn=Secret(event_store.writer),
        read_model_dsn=Secret(read_model_dsn),
        **given,
    )


@asynccontextmanager
async def command_client(
    settings: CommandSettings, guard: Guard | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """The command API on a socket, its light way included; products are in memory."""
    async with AsyncExitStack() as stack:
        pool = await create_pool(
            settings.event_store_dsn,
            application_name="test webhooks",
            size_max=4,
            statement_timeout_seconds=30,
            connect_timeout_seconds=30,
        )
        stack.push_async_callback(pool.close)
        routes = await webhook_routes(settings, pool, stack)
        execute = execute_command(InMemoryEventStore())
        port = write_port(
            WriteApi(execute, READ_URL, 12, InMemoryImportRuns()), guard, more_routes=[routes.add]
        )
        server = await stack.enter_async_context(serving(port, port.protocol))
        yield await stack.enter_async_context(client_of(server))


@asynccontextmanager
async def webhook_world(
    event_store: DatabaseDsns, read_model: DatabaseDsns, guard: Guard | None = None, **queries: Any
) -> AsyncIterator[WebhookWorld]:
    """`queries` are settings of the query API."""
    settings = QuerySettings(
        _env_file=None,  # type: ignore[call-arg]
        read_model_dsn=Secret(read_model.reader),
        event_store_read_dsn=Secret(event_store.log_reader),
        redis_url="redis://127.0.0.1:1/0",
        search="off",
        **queries,
    )
    async with AsyncExitStack() as stack:
        commands = command_settings(event_store, read_model.reader)
        command = await stack.enter_async_context(command_client(commands, guard))
        api = await stack.enter_async_context(query_api(settings))
        transport = httpx.ASGITransport(app=api.application, raise_app_exceptions=False)
        query = httpx.AsyncClient(transport=transport, base_url="http://query.test")
        await stack.enter_async_context(query)
        connections = [await asyncpg.connect(dsn) for dsn in (event_store.owner, read_model.projector)]
        for connection in connections:
            stack.push_async_callback(connection.close)
        yield WebhookWorld(command, query, *connections)
