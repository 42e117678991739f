"""The same raw requests to two command APIs, of which one answers single commands before the framework."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import msgspec

from command_api.http.answers import WriteApi
from command_api.http.app import write_port
from shared.access.guard import Guard
from shared.contract.consistency_token import decode_token
from shared.contract.recorded_event import EventMetadata
from shared.ops.http.server import HttpServer
from shared.rate_limits.api_limits import ApiLimits
from tests.executing import execute_command
from tests.in_memory_event_store import InMemoryEventStore
from tests.in_memory_import_runs import InMemoryImportRuns
from tests.unit.command_http.write_client import READ_URL, LightCounter, serving
from tests.unit.ops.http_wire import Wire, wire_to

_uuid = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# Of a request without a traceparent they are random; each is compared by its length alone.
_trace_ids = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
_numbers = count(1)


@dataclass(frozen=True)
class Sent:
    """A request but for its product; `{id}` and `{sku}` in the path are those of the present one. A header
    may come twice. `is_chunked`: its body comes so, and in a packet of its own.
    """

    method: str
    path: str
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    is_chunked: bool = False
    version: str = "1.1"

    def head(self, product_id: str, sku: str) -> bytes:
        path = self.path.replace("{id}", product_id).replace("{ID}", product_id.upper()).replace("{sku}", sku)
        framing = "transfer-encoding: chunked" if self.is_chunked else f"content-length: {len(self.body)}"
        fields = [f"{name}: {value}" for name, value in self.headers]
        lines = [f"{self.method} {path} HTTP/{self.version}", "host: x", *fields, framing]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    @property
    def content(self) -> bytes:
        return b"%x\r\n%b\r\n0\r\n\r\n" % (len(self.body), self.body) if self.is_chunked else self.body


class World:
    """One API with its store."""

    def __init__(self, server: HttpServer, store: InMemoryEventStore, counter: LightCounter | None) -> None:
        self.server, self.store, self.counter = server, store, counter
        self._appends_before = 0

    async def create(self, sku: str, more: Sequence[tuple[str, str]]) -> str:
        """A new product's id."""
        body = b'{"name":"Shirt","variants":[{"sku":"%b","price":{"amount":"9","currency":"EUR"}}]}'
        creation = Sent(
            "POST", "/v1/products", [("content-type", "application/json"), *more], body % sku.encode()
        )
        async with wire_to(self.server) as wire:
            await wire.send(creation.head("", "") + creation.content)
            status, _, answer = await wire.answer()
        assert status == 201, answer
        return str(msgspec.json.decode(answer)["id"])

    async def answers(self, sent: Sequence[Sent], more: Sequence[tuple[str, str]] = ()) -> list[Any]:
        """Create a product and send these requests about it, one after the other on one connection for as
        long as the server keeps it. What is compared: statuses, headers, bodies, and events.
        """
        sku = f"S-{next(_numbers)}"
        product_id = await self.create(sku, more)
        self._appends_before = len(self.store.appends)
        found = []
        async with AsyncExitStack() as stack:
            wire: Wire | None = None
            for each in sent:
                if wire is None:
                    wire = await stack.enter_async_context(wire_to(self.server))
                status, headers, body = await self._answer(wire, each, product_id, sku)
                found.append((status, _plain(headers), _text(body).replace(sku, "SKU")))
                if headers.get("connection") == "close":
                    wire = None
        return [*found, *self._events()]

    async def answer(self, sent: Sent) -> Any:
        """To one request that needs no product."""
        async with wire_to(self.server) as wire:
            status, headers, body = await self._answer(wire, sent, "", "")
        return status, _plain(headers), _text(body)

    async def _answer(
        self, wire: Wire, sent: Sent, product_id: str, sku: str
    ) -> tuple[int, dict[str, str], bytes]:
        head = sent.head(product_id, sku)
        if sent.is_chunked:
            await wire.send(head)
            await asyncio.sleep(0)
            await wire.send(sent.content)
        else:
            await wire.send(head + sent.content)
        return await wire.answer()

    def _events(self) -> list[Any]:
        """What was appended, with its idempotency key and answer."""
        found = []
        for append in self.store.appends[self._appends_before :]:
            answer = append.answer
            stored = None if answer is None else (answer.status, _text(answer.body))
            for event in append.events:
                metadata = msgspec.json.decode(event.metadata, type=EventMetadata)
                data = re.sub(r"S-[0-9]+", "SKU", _text(event.encoded.data))
                named = metadata.actor, metadata.import_id, metadata.correlation_id.startswith("r-")
                found.append((event.encoded.event_type, append.expected_version, data, stored, named))
        return found


@asynccontextmanager
async def two_ways(
    guard: Guard | None = None, limits: Sequence[ApiLimits | None] = (None, None)
) -> AsyncIterator[tuple[World, World]]:
    """The framework alone, and the light path before it."""
    store = InMemoryEventStore()
    port = write_port(
        WriteApi(execute_command(store), READ_URL, 12, InMemoryImportRuns()), guard, limits=limits[0]
    )
    async with serving(port) as server, light_alone(guard, limits[1]) as light:
        yield World(server, store, None), light


@asynccontextmanager
async def light_alone(
    guard: Guard | None = None, limits: ApiLimits | None = None, **settings: Any
) -> AsyncIterator[World]:
    """The light path before the framework."""
    store = InMemoryEventStore()
    port = write_port(
        WriteApi(execute_command(store), READ_URL, 12, InMemoryImportRuns()), guard, limits=limits
    )
    counter = LightCounter(port)
    async with serving(port, counter, **settings) as server:
        yield World(server, store, counter)


def _plain(headers: dict[str, str]) -> dict[str, str]:
    """Without what differs from one answer to the next."""
    made = {name: _text(value.encode()) for name, value in headers.items() if name != "date"}
    if "consistency-token" in made:
        token = decode_token(headers["consistency-token"])
        made["consistency-token"] = f"{len(token.positions)} partitions, version {token.stream_version}"
    if not made.get("x-request-id", "").startswith("r-"):
        made["x-request-id"] = "made here"
    made.pop("content-length", None)  # of a product whose SKU has more digits
    return made


def _text(body: bytes) -> str:
    text = _uuid.sub("ID", body.decode("utf-8", "backslashreplace"))
    return _trace_ids.sub("TRACE", re.sub(r"-[0-9a-f]{12}\b", "-SUFFIX", text))
