"""Every route and every error of the command API, over a socket: each answer has the headers for browsers."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from uuid_utils.compat import uuid4

from command_api.app import METHODS
from command_api.executing.ports import OutcomeUnknown, StoreOverloaded, StoreUnavailable
from command_api.http.answers import WriteApi
from command_api.http.app import write_port
from shared.ops.http.limits import ConnectionLimits
from shared.ops.http.server import HttpServer
from shared.ops.settings import ApiSettings
from shared.rate_limits.api_limits import ApiLimits
from shared.rate_limits.budget import Budget
from shared.rate_limits.limits import KindOfRequests
from tests.answer_headers import must_be_protected
from tests.executing import execute_command
from tests.in_memory_event_store import InMemoryEventStore
from tests.in_memory_import_runs import InMemoryImportRuns
from tests.unit.command_http.write_client import JSON, READ_URL, create, product
from tests.unit.ops.http_wire import wire_to

LATE = ConnectionLimits(head_seconds_max=0.2, body_seconds_max=0.2)
ONE_REQUEST = ApiLimits(usual=KindOfRequests(Budget("writes", 1 / 3600, 1), None))
Client = httpx.AsyncClient


@asynccontextmanager
async def served(
    store: InMemoryEventStore,
    limits: ApiLimits | None = None,
    http_limit: int | None = None,
    connections: ConnectionLimits | None = None,
) -> AsyncIterator[tuple[HttpServer, Client]]:
    execute = execute_command(store)
    settings = ApiSettings(_env_file=None, hsts_seconds=60)  # type: ignore[call-arg]
    port = write_port(WriteApi(execute, READ_URL, 12, InMemoryImportRuns()), None, limits=limits)
    server = HttpServer(
        port.application,
        host="127.0.0.1",
        port=0,
        port_setting="COMMAND_PORT",
        protocol=port.protocol,
        http_limit=http_limit,
        limits=connections,
        headers=settings.answer_headers(METHODS),
    )
    await server.start()
    try:
        async with Client(base_url=f"http://127.0.0.1:{server.port}", timeout=30) as client:
            yield server, client
    finally:
        await server.stop(5)


async def test_every_route_answers_every_method_with_them(store: InMemoryEventStore) -> None:
    async with served(store) as (_, client):
        path = await create(client)
        document = (await client.get("/openapi.json")).json()
        assert len(document["paths"]) > 5
        ids = {"{product_id}": path.rsplit("/", 1)[1], "{sku}": "S-1"}
        addresses = ["/openapi.json", "/docs/start.js", "/nothing", *document["paths"]]
        for address in addresses:
            for name, value in ids.items():
                address = address.replace(name, value)
            for method in ("GET", "HEAD", "OPTIONS", *METHODS):
                for body in (b"", b"{}"):
                    answer = await client.request(method, address, content=body, headers=JSON)
                    must_be_protected(answer.status_code, answer.headers)
                    assert answer.headers["strict-transport-security"] == "max-age=60"
        must_be_protected(200, (await client.get("/docs")).headers, is_page=True)


async def refused(client: Client, status: int, method: str, path: str, **sent: object) -> None:
    answer = await client.request(method, path, **sent)  # type: ignore[arg-type]
    assert answer.status_code == status, answer.text
    must_be_protected(status, answer.headers)


async def test_every_error_of_the_application_has_them(store: InMemoryEventStore) -> None:
    products = "/v1/products"
    async with served(store) as (_, client):
        path = await create(client, "S-9")
        match = {"if-match": '"7"'}
        await refused(client, 400, "POST", products, content=b"{", headers=JSON)
        await refused(client, 404, "DELETE", f"{products}/{uuid4()}")
        await refused(client, 405, "GET", products)
        await refused(client, 409, "POST", products, json=product("S-9", slug="another"))
        await refused(client, 412, "PATCH", path, json={"name": "B"}, headers=match)
        await refused(client, 413, "POST", products, content=b" " * 2_000_000, headers=JSON)
        await refused(client, 415, "POST", products, content=b"a", headers={"content-type": "text/plain"})
        await refused(client, 422, "POST", products, json={"name": ""})


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (StoreUnavailable("broken"), 503),
        (StoreOverloaded("append-queue", "broken"), 503),
        (OutcomeUnknown("broken"), 503),
        (RuntimeError("broken"), 500),
    ],
)
async def test_outages_and_bugs_have_them(
    store: InMemoryEventStore, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    async def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(store, "append", fails)
    async with served(store) as (_, client):
        await refused(client, status, "POST", "/v1/products", json=product())


async def test_limits_have_them(store: InMemoryEventStore) -> None:
    async with served(store, limits=ONE_REQUEST) as (_, client):
        await create(client)
        await refused(client, 429, "POST", "/v1/products", json=product())
    async with served(store, limits=ApiLimits(in_progress_max=0)) as (_, client):
        await refused(client, 429, "POST", "/v1/products", json=product())
    async with served(store, http_limit=0) as (_, client):
        await refused(client, 503, "POST", "/v1/products", json=product())


def _post(more: str, body: bytes = b"") -> bytes:
    head = f"POST /v1/products HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{more}\r\n"
    return head.encode() + body


@pytest.mark.parametrize(
    ("status", "sent"),
    [
        (400, b"POST /v1/products HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n"),
        (400, _post("transfer-encoding: chunked\r\n", b"zz\r\n")),
        (408, b"POST /v1/products HTTP/1.1\r\nhost"),
        (408, _post("content-length: 10\r\n", b"{")),
        (413, _post("content-length: 9999999\r\n")),
        (414, b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n"),
        (431, _post("x: " + "a" * 70_000 + "\r\n")),
        (501, _post("transfer-encoding: gzip, chunked\r\n")),
        (505, b"GET / HTTP/2.0\r\nhost: x\r\n\r\n"),
    ],
)
async def test_what_is_refused_before_the_application_has_them(
    store: InMemoryEventStore, status: int, sent: bytes
) -> None:
    connections = LATE if status == 408 else None
    async with served(store, connections=connections) as (server, _), wire_to(server) as wire:
        await wire.send(sent)
        answered, headers, body = await wire.answer()
    assert answered == status, body
    must_be_protected(status, headers)
    assert json.loads(body)["status"] == status
