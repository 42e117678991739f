"""`GET /v1/products` as a search: a text, up to two filters, five facets and the total, for 20 clients,
against the same page built on PostgreSQL's text search.

Both get the same searches in the same order, each once: answers that a process keeps must not count. The API
is pinned to core 0; PostgreSQL may use both cores.
"""

import asyncio
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import quantiles
from typing import Any

import asyncpg

from deploy.local.ports import free_port
from query_api.search.feed_limits import FeedLimits
from query_api.search.folders import IndexFolders
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
TITLE = f"search of {PRODUCTS:,} products, two filters, five facets, {CLIENTS} clients"
COMMIT = FeedLimits().catch_up_states(PRODUCTS)
FACETS = "brand,category,tag,attr.material,price"
ASKED = {"facets": FACETS, "with_total": "true", "currency": "USD", "limit": "20"}
Answers = list[float]
"""Milliseconds of each request."""


class SearchFigures:
    """What a comparison of searches keeps: the catalogue, the last answers, and figures of the last index."""

    def __init__(self, servers: BenchServers, seconds: float) -> None:
        self.servers = servers
        self.seconds = max(seconds, 10.0)
        self.catalogue = Catalogue(PRODUCTS)
        self.answers: Answers = []
        self.built: dict[str, float] = {}
        self._read_model: DatabaseDsns | None = None

    async def read_model(self) -> DatabaseDsns:
        """With all documents in Redis."""
        if self._read_model is None:
            self._read_model = await self.servers.read_model()
            await self.catalogue.fill(self.servers.redis.url(0))
        return self._read_model

    def rate(self, answers: Answers) -> float:
        """Searches per second."""
        return len(answers) / self.seconds

    def tables(self, rates: Sequence[Contender], whose: str, built: Mapping[str, str]) -> list[Table]:
        """Rates, the spread of `whose` latencies in the last round, and the index itself: `built` has a row
        for each figure.
        """
        spread = [
            Contender("p50", partial(self._percent, 50)),
            Contender("p99", partial(self._percent, 99), 4.0),
        ]
        figures = [Contender(row, partial(self._figure, key)) for key, row in built.items()]
        return [
            Table(TITLE, "searches/s", rates),
            Table(f"{TITLE}: latency of {whose}", "ms", spread, lower_is_better=True),
            Table(f"an index of {PRODUCTS:,} products, {whose}", "see the row", figures),
        ]

    async def _percent(self, hundredths: int) -> float:
        return quantiles(self.answers, n=100)[hundredths - 1]

    async def _figure(self, key: str) -> float:
        return self.built[key]


class Comparison:
    """The query API with an index of its own, and PostgreSQL's text search, over the same products."""

    def __init__(self, figures: SearchFigures) -> None:
        self._figures = figures
        self._has_table = False

    async def ours(self) -> float:
        """Searches per second. There is no broker: the process serves the index of its folder."""
        figures = self._figures
        with tempfile.TemporaryDirectory(prefix="bench-index-") as name:
            figures.built = await asyncio.to_thread(build, figures.catalogue, Path(name))
            figures.answers = await served_from(figures, await self._filled(), Path(name))
        return figures.rate(figures.answers)

    async def theirs(self) -> float:
        """Searches per second."""
        figures = self._figures
        answers = await _searches_of_postgres(await self._filled(), figures.catalogue, figures.seconds)
        return figures.rate(answers)

    async def _filled(self) -> DatabaseDsns:
        dsns = await self._figures.read_model()
        if not self._has_table:
            await _fill_table(dsns, self._figures.catalogue)
            self._has_table = True
        return dsns


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """Rates against PostgreSQL, the spread of our own latencies, and the index itself."""
    figures = SearchFigures(servers, seconds)
    compared = Comparison(figures)
    rates = [
        Contender("PostgreSQL's text search", compared.theirs),
        Contender("query API", compared.ours, 5.0),
    ]
    built = {"seconds": "seconds to build, without reading the topic", "megabytes": "MB on disk"}
    return figures.tables(rates, "the query API", built)


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


async def _fill_table(dsns: DatabaseDsns, catalogue: Catalogue) -> None:
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


async def served_from(figures: SearchFigures, dsns: DatabaseDsns, folder: Path) -> Answers:
    """From the index in this folder."""
    settings = {
        "SEARCH": "embedded",
        # Each request is to be searched, also one that was asked before.
        "LOCAL_LIST_CACHE_BYTES_MAX": "0",
        "KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:{free_port()}",
        "SEARCH_INDEX_FOLDER": str(folder),
    }
    async with serving(dsns, figures.servers.redis.url(0), settings) as process:
        return await answers_of(process.port, iter(figures.catalogue.paths(ASKED)), figures.seconds)


async def _searches_of_postgres(dsns: DatabaseDsns, catalogue: Catalogue, seconds: float) -> Answers:
    port = free_port()
    argv = python(
        "-m", "uvicorn", "tests.benchmarks.postgres_search:app", "--port", str(port), "--log-level", "error",
        "--loop", "uvloop", "--http", "httptools", "--no-access-log",
    )  # fmt: skip
    environment = {"SHOP_DSN": dsns.owner}
    ready = f"http://{HOST}:{port}/openapi.json"
    async with running(*argv, ready_url=ready, environment=environment, core=SERVER_CORE):
        return await answers_of(port, iter(catalogue.paths({})), seconds)


async def answers_of(port: int, paths: Iterator[str], seconds: float) -> Answers:
    """A closed loop of clients, who take the next address each time. `RuntimeError`: none is left."""
    taken: Answers = []
    ends = time.perf_counter() + seconds

    async def client() -> None:
        while (began := time.perf_counter()) < ends:
            path = next(paths, None)
            if path is None:
                raise RuntimeError("no addresses are left: measure for fewer seconds")
            await http.request("GET", path)
            taken.append((time.perf_counter() - began) * 1000)

    http = LightClient(HOST, port)
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    http.close()
    return taken
