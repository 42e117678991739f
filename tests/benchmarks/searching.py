"""`GET /v1/products` as a search: a text, up to two filters, five facets and the total, for 20 clients,
against the same page built on PostgreSQL's text search.

Both get the same 2,000 different texts. The API is pinned to core 0; PostgreSQL may use both cores.
"""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import quantiles
from typing import Any

import asyncpg

from deploy.local.ports import free_port
from query_api.search.folders import IndexFolders
from query_api.search.index_run import FeedLimits
from query_api.search.ports import IndexCheckpoint
from query_api.search.tantivy.index import TantivyIndex, scheme
from shared.contract.views import ProductDocument
from tests.benchmarks import postgres_search
from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.catalogue import CHUNK, Catalogue
from tests.benchmarks.light_client import LightClient
from tests.benchmarks.processes import python, running
from tests.benchmarks.query_process import HOST, SERVER_CORE, serving
from tests.benchmarks.table import Contender, Table
from tests.servers import DatabaseDsns

PRODUCTS = 100_000
CLIENTS = 20
COMMIT = FeedLimits().catch_up_states_max
FACETS = "brand,category,tag,attr.material,price"
ASKED = {"facets": FACETS, "with_total": "true", "currency": "USD", "limit": "20"}
Answers = list[float]
"""Milliseconds of each request."""


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
            self._built = await asyncio.to_thread(build, self._catalogue, Path(name))
            dsns = await self._filled()
            self._answers = await served_from(self._servers, dsns, self._catalogue, Path(name), self._seconds)
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


def build(catalogue: Catalogue, folder: Path) -> dict[str, float]:
    """An embedded index of all products in this folder; how long it took, and its size."""
    folders = IndexFolders(folder, scheme())
    folders.open()
    path = folders.new()
    index = TantivyIndex(path)
    states = catalogue.states()
    began = time.perf_counter()
    for start in range(0, len(states), COMMIT):
        checkpoint = IndexCheckpoint({0: start}, {0: start}, None, time.time())
        index.apply(states[start : start + COMMIT], checkpoint)
    seconds = time.perf_counter() - began
    index.close()
    folders.switch(path)
    folders.close()
    size = sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
    return {"seconds": seconds, "megabytes": size / 1e6}


async def _fill(servers: BenchServers, dsns: DatabaseDsns, catalogue: Catalogue) -> None:
    """Documents into Redis, and the table of the comparison."""
    await catalogue.fill(servers.redis.url(0))
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
    material_text = None if material is None else str(material)
    return (
        one.id, one.name, one.brand, one.category, "|".join(one.tags), material_text, str(cheapest),
        body, one.description or "",
    )  # fmt: skip


async def served_from(
    servers: BenchServers, dsns: DatabaseDsns, catalogue: Catalogue, folder: Path, seconds: float
) -> Answers:
    """From the index in this folder."""
    settings = {
        "SEARCH": "embedded",
        "KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:{free_port()}",
        "SEARCH_INDEX_FOLDER": str(folder),
    }
    async with serving(dsns, servers.redis.url(0), settings) as process:
        return await answers_of(process.port, catalogue.paths(ASKED), seconds)


async def _searches_of_postgres(dsns: DatabaseDsns, catalogue: Catalogue, seconds: float) -> Answers:
    port = free_port()
    argv = python(
        "-m", "uvicorn", "tests.benchmarks.postgres_search:app", "--port", str(port), "--log-level", "error",
        "--loop", "uvloop", "--http", "httptools", "--no-access-log",
    )  # fmt: skip
    environment = {"SHOP_DSN": dsns.owner}
    ready = f"http://{HOST}:{port}/openapi.json"
    async with running(*argv, ready_url=ready, environment=environment, core=SERVER_CORE):
        return await answers_of(port, catalogue.paths({}), seconds)


async def answers_of(port: int, paths: Sequence[str], seconds: float) -> Answers:
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
