"""The write API over an event store in memory, spoken to as a client would."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from command_api.app import METHODS
from command_api.http.answers import WriteApi
from command_api.http.app import WritePort, write_port
from command_api.http.light.protocol import LightCommandProtocol
from shared.access.guard import Guard
from shared.ops.http.protocol import BoundedHttpProtocol
from shared.ops.http.server import HttpServer
from shared.ops.settings import ApiSettings
from tests.executing import execute_command
from tests.in_memory_event_store import InMemoryEventStore
from tests.in_memory_import_runs import InMemoryImportRuns

READ_URL = "http://read.example.test"
JSON = {"content-type": "application/json"}
MERGE_PATCH = {"content-type": "application/merge-patch+json"}
NDJSON = {"content-type": "application/x-ndjson"}
PRICE = {"amount": "50.00", "currency": "USD"}


@asynccontextmanager
async def write_client(
    store: InMemoryEventStore,
    guard: Guard | None = None,
    *,
    docs_enabled: bool = True,
    is_light: bool = False,
    imports: InMemoryImportRuns | None = None,
) -> AsyncIterator[httpx.AsyncClient]:
    """A client whose server errors are answers, as over a socket. `is_light`: over one, and single commands
    are answered before the framework.
    """
    api = WriteApi(execute_command(store), READ_URL, 12, imports or InMemoryImportRuns())
    port = write_port(api, guard, docs_enabled=docs_enabled)
    if is_light:
        async with serving(port, LightCounter(port)) as server, client_of(server) as client:
            yield client
        return
    transport = httpx.ASGITransport(app=port.application, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://write.example.test") as client:
        yield client


class LightCounter:
    """Makes the connections of a port, and counts what they answer before the framework."""

    def __init__(self, port: WritePort) -> None:
        self.answers = 0
        self._port = port

    def __call__(self, *args: Any, **settings: Any) -> LightCommandProtocol:
        counter = self

        class Counted(LightCommandProtocol):
            def _send(self, answer: bytes) -> None:
                counter.answers += 1
                super()._send(answer)

        return Counted(self._port.light, *args, **settings)


@asynccontextmanager
async def serving(
    port: WritePort, protocol: Callable[..., asyncio.Protocol] = BoundedHttpProtocol, **settings: Any
) -> AsyncIterator[HttpServer]:
    """The API on a socket; as `BoundedHttpProtocol` makes connections, the framework answers everything."""
    server = HttpServer(
        port.application,
        host="127.0.0.1",
        port=0,
        port_setting="COMMAND_PORT",
        protocol=protocol,
        headers=ApiSettings(_env_file=None).answer_headers(METHODS),  # type: ignore[call-arg]
        **settings,
    )
    await server.start()
    try:
        yield server
    finally:
        await server.stop(5)


def client_of(server: HttpServer) -> httpx.AsyncClient:
    """A client of this server."""
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=60)


def product(*skus: str, **fields: Any) -> dict[str, Any]:
    """The body of a creation."""
    return {"name": "Ocean Shirt", "variants": [variant(sku) for sku in skus or ("S-1",)], **fields}


def variant(sku: str | None = None, **fields: Any) -> dict[str, Any]:
    named = {} if sku is None else {"sku": sku}
    return {**named, "price": PRICE, **fields}


async def create(client: httpx.AsyncClient, *skus: str, **fields: Any) -> str:
    """The path of a new product."""
    answer = await client.post("/v1/products", json=product(*skus, **fields))
    assert answer.status_code == 201, answer.text
    return f"/v1/products/{answer.json()['id']}"


def problem_of(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document of this answer, which must be whole."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["status"] == status
    assert document["code"] == code, document
    assert document["type"].endswith(code)
    assert document["title"]
    assert len(document["trace_id"]) == 32
    assert document["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["cache-control"] == "no-store"
    if status == 503:
        assert int(answer.headers["retry-after"]) >= 1
    return document


def ndjson(*operations: Any) -> bytes:
    return b"\n".join(json.dumps(each).encode() for each in operations)
