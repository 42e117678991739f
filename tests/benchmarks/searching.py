"""`GET /v1/products` as a search: a text, up to two filters, five facets and the total, for 20 clients,
against the same page built on PostgreSQL's text search.

Both get the same 2,000 different texts. The API is pinned to core 0; PostgreSQL may use both cores.
"""

import asyncio
import random
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import quantiles
from typing import Any
from urllib.parse import urlencode

import asyncpg
import msgspec
from redis.asyncio import Redis
from uuid_utils.compat import uuid7

from command_api.importer.seed import seed_products
from deploy.local.ports import free_port
from query_api.search.folders import IndexFolders
from query_api.search.index_run import FeedLimits
from query_api.search.ports import IndexCheckpoint, IndexedState
from query_api.search.tantivy.index import TantivyIndex, scheme
from shared.contract.addresses import product_key
from shared.contract.cached_document import pack
from shared.contract.views import ProductDocument, encode_document
from tests.benchmarks import postgres_search
from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.light_client import LightClient
from tests.benchmarks.processes import python, running
from tests.benchmarks.reads_http import HOST, SERVER_CORE
from tests.benchmarks.table import Contender, Table
from tests.servers import DatabaseDsns

PRODUCTS = 100_000
QUERIES = 2_000
CLIENTS = 20
CHUNK = 5_000
COMMIT = FeedLimits().catch_up_states_max
CURRENCY = "USD"
FACETS = "brand,category,tag,attr.material,price"
_BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
Answers = list[float]
"""Milliseconds of each request."""


class Catalogue:
    """The seeded documents, made once."""

    def __init__(self, count: int) -> None:
        self.documents = [
            msgspec.convert({**seeded, **_usual(number), "id": str(uuid7())}, ProductDocument, strict=False)
            for number, seeded in enumerate(seed_products(count, seed=1))
        ]
        self.bodies = [encode_document(document) for document in self.documents]

    def states(self) -> Sequence[IndexedState]:
        return [
            IndexedState(document.id, 1, number, 0, body)
            for number, (document, body) in enumerate(zip(self.documents, self.bodies, strict=True), start=1)
        ]

    def paths(self, more: Mapping[str, str]) -> list[str]:
        """Addresses of searches: one or two words of a product; half have its brand, half its category."""
        chance = random.Random(7)
        paths = []
        for document in chance.sample(self.documents, QUERIES):
            words = document.name.split()
            text = " ".join(chance.sample(words, min(len(words), chance.choice((1, 2)))))
            parameters = {"q": text[: max(3, len(text) - chance.choice((0, 0, 2)))], **more}
            if chance.random() < 0.5 and document.brand:
                parameters["brand"] = document.brand
            if chance.random() < 0.5 and document.category:
                parameters["category"] = document.category.split("/")[0]
            paths.append(f"/v1/products?{urlencode(parameters)}")
        return paths


def _usual(number: int) -> Mapping[str, Any]:
    """Created one after the other, as products are."""
    now = _BEGAN + timedelta(milliseconds=number)
    return {"version": 1, "status": "active", "created_at": now, "updated_at": now, "published_at": now}


class Comparison:
    """The query API with an index of its own, and PostgreSQL's text search, over the same products."""

    def __init__(self, servers: BenchServers, seconds: float) -> None:
        self._servers = servers
        self._seconds = seconds
        self._catalogue = Catalogue(PRODUCTS)
        self._read_model: DatabaseDsns | None = None
        self._answers: Answers = []
        self._built: dict[str, float] = {}

    async def ours(self) -> float:
        """Searches per second. There is no broker: the process serves the index of its folder."""
        with tempfile.TemporaryDirectory(prefix="bench-index-") as name:
            self._built = await asyncio.to_thread(_build, self._catalogue, Path(name))
            dsns = await self._filled()
            self._answers = await _searches(self._servers, dsns, self._catalogue, Path(name), self._seconds)
        return len(self._answers) / self._seconds

    async def theirs(self) -> float:
        """Searches per second."""
        answers = await _searches_of_postgres(await self._filled(), self._catalogue, self._seconds)
        return len(answers) / self._seconds

    async def percent(self, hundredths: int) -> float:
        """Milliseconds of the last round of ours."""
        return quantiles(self._answers, n=100)[hundredths - 1]

    async def built(self, key: str) -> float:
        """A figure of the last index."""
        return self._built[key]

    async def _filled(self) -> DatabaseDsns:
        if self._read_model is None:
            self._read_model = await self._servers.read_model()
            await _fill(self._servers, self._read_model, self._catalogue)
        return self._read_model


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """Rates against PostgreSQL, the spread of our own latencies, and the index itself."""
    compared = Comparison(servers, max(seconds, 10.0))
    title = f"search of {PRODUCTS:,} products, two filters, five facets, {CLIENTS} clients"
    return [
        Table(
            title,
            "searches/s",
            [
                Contender("PostgreSQL's text search", compared.theirs),
                Contender("query API", compared.ours, 5.0),
            ],
        ),
        Table(
            f"{title}: latency of the query API",
            "ms",
            [
                Contender("p50", partial(compared.percent, 50)),
                Contender("p99", partial(compared.percent, 99), 4.0),
            ],
            lower_is_better=True,
        ),
        Table(
            f"an index of {PRODUCTS:,} products",
            "see the row",
            [
                Contender("seconds to build, without reading the topic", partial(compared.built, "seconds")),
                Contender("MB on disk", partial(compared.built, "megabytes")),
            ],
        ),
    ]


def _build(catalogue: Catalogue, folder: Path) -> dict[str, float]:
    folders = IndexFolders(folder, scheme())
    folders.open()
    path = folders.new()
    index = TantivyIndex(path)
    states = catalogue.states()
    began = time.perf_counter()
    for start in range(0, len(states), COMMIT):
        index.apply(
            states[start : start + COMMIT], IndexCheckpoint({0: start}, {0: start}, None, time.time())
        )
    seconds = time.perf_counter() - began
    index.close()
    folders.switch(path)
    folders.close()
    size = sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
    return {"seconds": seconds, "megabytes": size / 1e6}


async def _fill(servers: BenchServers, dsns: DatabaseDsns, catalogue: Catalogue) -> None:
    """Documents into Redis, and the table of the comparison."""
    async with Redis.from_url(servers.redis.url(0)) as redis:
        await redis.flushdb()
        for start in range(0, PRODUCTS, CHUNK):
            pairs = zip(catalogue.documents[start : start + CHUNK], catalogue.bodies[start:], strict=False)
            await redis.mset({product_key("catalogue", one.id): pack(1, body) for one, body in pairs})
    connection = await asyncpg.connect(dsns.owner)
    try:
        await connection.execute(postgres_search.TABLE)
        for start in range(0, PRODUCTS, CHUNK):
            rows = zip(catalogue.documents[start : start + CHUNK], catalogue.bodies[start:], strict=False)
            columns = zip(*(_columns(one, body) for one, body in rows), strict=True)
            await connection.execute(postgres_search.INSERT, *columns)
        await connection.execute(postgres_search.INDEXES)
        await connection.execute("VACUUM ANALYZE shop_product")
    finally:
        await connection.close()


def _columns(one: ProductDocument, body: bytes) -> tuple[Any, ...]:
    cheapest = min(float(variant.price.amount) for variant in one.variants)
    material = one.attributes.get("material")
    return (
        one.id, one.name, one.brand, one.category, "|".join(one.tags), material and str(material), str(cheapest),
        body, one.description or "",
    )  # fmt: skip


async def _searches(
    servers: BenchServers, dsns: DatabaseDsns, catalogue: Catalogue, folder: Path, seconds: float
) -> Answers:
    port, ops_port = free_port(), free_port()
    environment = {
        "READ_MODEL_DSN": dsns.reader,
        "REDIS_URL": servers.redis.url(0),
        "QUERY_PORT": str(port),
        "QUERY_OPS_PORT": str(ops_port),
        "KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:{free_port()}",
        "SEARCH_INDEX_FOLDER": str(folder),
    }
    argv = python("-m", "query_api", "serve")
    ready = f"http://{HOST}:{ops_port}/readyz"
    more = {"facets": FACETS, "with_total": "true", "currency": CURRENCY, "limit": "20"}
    async with running(*argv, ready_url=ready, environment=environment, core=SERVER_CORE):
        return await _answers(port, catalogue.paths(more), seconds)


async def _searches_of_postgres(dsns: DatabaseDsns, catalogue: Catalogue, seconds: float) -> Answers:
    port = free_port()
    argv = python(
        "-m", "uvicorn", "tests.benchmarks.postgres_search:app", "--port", str(port), "--log-level", "error",
        "--loop", "uvloop", "--http", "httptools", "--no-access-log",
    )  # fmt: skip
    environment = {"SHOP_DSN": dsns.owner}
    ready = f"http://{HOST}:{port}/openapi.json"
    async with running(*argv, ready_url=ready, environment=environment, core=SERVER_CORE):
        return await _answers(port, catalogue.paths({}), seconds)


async def _answers(port: int, paths: Sequence[str], seconds: float) -> Answers:
    """A closed loop of all clients, each beginning elsewhere in the list."""
    taken: Answers = []
    ends = time.perf_counter() + seconds

    async def client(number: int) -> None:
        at = number * len(paths) // CLIENTS
        while time.perf_counter() < ends:
            began = time.perf_counter()
            await http.request("GET", paths[at % len(paths)])
            taken.append((time.perf_counter() - began) * 1000)
            at += 1

    http = LightClient(HOST, port)
    await asyncio.gather(*map(client, range(CLIENTS)))
    http.close()
    return taken
