"""The searches of `searching.py` with the index in OpenSearch, against the embedded index.

The API is pinned to core 0. OpenSearch may use both cores, also the one of the clients.
"""

import asyncio
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import quantiles

import msgspec

from shared.ops.secret import Secret
from shared.search.entry import entry_of
from shared.search.opensearch.address import SearchAddress
from shared.search.opensearch.client import OpenSearchClient
from shared.search.opensearch.documents import product_key, product_source
from shared.search.opensearch.mapping import alias_of, index_body, index_name
from shared.search.opensearch.settings import INDEX_PREFIX
from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.catalogue import Catalogue
from tests.benchmarks.query_process import serving
from tests.benchmarks.searching import ASKED, CLIENTS, PRODUCTS, Answers, answers_of, build, served_from
from tests.benchmarks.table import Contender, Table
from tests.servers import DatabaseDsns

_SECONDS_MAX = 120.0
_BULK = 1_000
_INDEX = index_name(INDEX_PREFIX, 1)


class Comparison:
    """The query API with either engine, over the same products."""

    def __init__(self, servers: BenchServers, seconds: float) -> None:
        self._servers = servers
        self._seconds = seconds
        self._catalogue = Catalogue(PRODUCTS)
        self._read_model: DatabaseDsns | None = None
        self._answers: Answers = []
        self._built: dict[str, float] = {}

    async def embedded(self) -> float:
        """Searches per second from the index of the process."""
        with tempfile.TemporaryDirectory(prefix="bench-index-") as name:
            await asyncio.to_thread(build, self._catalogue, Path(name))
            dsns = await self._filled()
            answers = await served_from(self._servers, dsns, self._catalogue, Path(name), self._seconds)
        return len(answers) / self._seconds

    async def in_opensearch(self) -> float:
        """Searches per second from OpenSearch."""
        dsns = await self._filled()
        if not self._built:
            self._built = await _fill(self._servers.opensearch.url, self._catalogue)
        # The server's Java compiles what is asked for often: until then searches take long.
        settings = {
            "SEARCH": "embedded",
            "SEARCH_URL": self._servers.opensearch.url,
            "SEARCH_SECONDS_MAX": "30",
        }
        async with serving(dsns, self._servers.redis.url(0), settings) as process:
            paths = self._catalogue.paths(ASKED)
            await answers_of(process.port, paths, self._seconds)
            self._answers = await answers_of(process.port, paths, self._seconds)
        return len(self._answers) / self._seconds

    async def percent(self, hundredths: int) -> float:
        """Milliseconds of the last round from OpenSearch."""
        return quantiles(self._answers, n=100)[hundredths - 1]

    async def built(self, key: str) -> float:
        """A figure of the index in OpenSearch."""
        return self._built[key]

    async def _filled(self) -> DatabaseDsns:
        if self._read_model is None:
            self._read_model = await self._servers.read_model()
            await self._catalogue.fill(self._servers.redis.url(0))
        return self._read_model


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """Rates, the spread of latencies, and the index itself."""
    compared = Comparison(servers, max(seconds, 10.0))
    title = f"search of {PRODUCTS:,} products, two filters, five facets, {CLIENTS} clients"
    return [
        Table(
            title,
            "searches/s",
            [
                Contender("embedded index", compared.embedded),
                Contender("OpenSearch", compared.in_opensearch),
            ],
        ),
        Table(
            f"{title}: latency with OpenSearch",
            "ms",
            [
                Contender("p50", partial(compared.percent, 50)),
                Contender("p99", partial(compared.percent, 99), 4.0),
            ],
            lower_is_better=True,
        ),
        Table(
            f"an index of {PRODUCTS:,} products in OpenSearch",
            "see the row",
            [
                Contender("seconds to build", partial(compared.built, "seconds")),
                Contender("MB on disk", partial(compared.built, "megabytes")),
            ],
        ),
    ]


async def _fill(url: str, catalogue: Catalogue) -> dict[str, float]:
    address = SearchAddress(Secret(url))
    async with OpenSearchClient(
        address, connections_max=1, seconds_max=_SECONDS_MAX, connect_seconds_max=_SECONDS_MAX
    ) as client:
        body = {**index_body(replicas=0), "aliases": {alias_of(INDEX_PREFIX): {}}}
        await client.request("PUT", _INDEX, msgspec.json.encode(body))
        began = time.perf_counter()
        for start in range(0, PRODUCTS, _BULK):
            await client.request("POST", f"{_INDEX}/_bulk", _lines(catalogue, start), is_lines=True)
        await client.request("POST", f"{_INDEX}/_refresh")
        seconds = time.perf_counter() - began
        await client.request("POST", f"{_INDEX}/_flush")
        stats = msgspec.json.decode(await client.request("GET", f"{_INDEX}/_stats/store,docs"))
    total = stats["_all"]["primaries"]
    assert total["docs"]["count"] == PRODUCTS, total
    return {"seconds": seconds, "megabytes": total["store"]["size_in_bytes"] / 1e6}


def _lines(catalogue: Catalogue, start: int) -> bytes:
    lines: list[bytes] = []
    bodies = catalogue.bodies[start : start + _BULK]
    for one, body in zip(catalogue.documents[start : start + _BULK], bodies, strict=True):
        action = {"index": {"_id": product_key(one.id), "version": 1, "version_type": "external"}}
        lines += [msgspec.json.encode(action), msgspec.json.encode(product_source(entry_of(one), body, 1, 0))]
    return b"\n".join([*lines, b""])
