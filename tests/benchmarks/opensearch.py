"""The searches of `searching.py` with the index in OpenSearch, against the embedded index.

The API is pinned to core 0. OpenSearch may use both cores, also the one of the clients.
"""

import asyncio
import tempfile
import time
from pathlib import Path

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
from tests.benchmarks.searching import ASKED, PRODUCTS, SearchFigures, answers_of, build, served_from
from tests.benchmarks.table import Contender, Table

_SECONDS_MAX = 120.0
_BULK = 1_000
_INDEX = index_name(INDEX_PREFIX, 1)


class Comparison:
    """The query API with either engine, over the same products."""

    def __init__(self, figures: SearchFigures) -> None:
        self._figures = figures

    async def embedded(self) -> float:
        """Searches per second from the index of the process."""
        figures = self._figures
        with tempfile.TemporaryDirectory(prefix="bench-index-") as name:
            await asyncio.to_thread(build, figures.catalogue, Path(name))
            return figures.rate(await served_from(figures, await figures.read_model(), Path(name)))

    async def in_opensearch(self) -> float:
        """Searches per second from OpenSearch."""
        figures, url = self._figures, self._figures.servers.opensearch.url
        dsns = await figures.read_model()
        if not figures.built:
            figures.built = await _fill(url, figures.catalogue)
        settings = {"SEARCH": "embedded", "SEARCH_URL": url, "SEARCH_SECONDS_MAX": "30"}
        async with serving(dsns, figures.servers.redis.url(0), settings) as process:
            paths = iter(figures.catalogue.paths(ASKED))
            # The server's Java compiles what is asked for often: until then searches take long.
            await answers_of(process.port, paths, figures.seconds)
            figures.answers = await answers_of(process.port, paths, figures.seconds)
        return figures.rate(figures.answers)


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """Rates, the spread of latencies, and the index itself."""
    figures = SearchFigures(servers, seconds)
    compared = Comparison(figures)
    rates = [
        Contender("embedded index", compared.embedded),
        Contender("OpenSearch", compared.in_opensearch),
    ]
    return figures.tables(rates, "OpenSearch", {"seconds": "seconds to build", "megabytes": "MB on disk"})


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
