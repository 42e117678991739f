"""What a larger catalogue costs: 1,000,000 products against 100,000, in single reads, lists and searches.

Tables and indexes are loaded directly, in minutes; `BENCH_PRODUCTS` may be another number than a million. The
query API is pinned to core 0; 20 clients in a closed loop. Redis is emptied before each measurement and the
in-process cache is off, so that reads and lists come from the tables.
"""

import os
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import cycle
from pathlib import Path
from statistics import median

from redis.asyncio import Redis

from deploy.local.ports import free_port
from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.large_catalogue import Loaded, load
from tests.benchmarks.query_process import HOST, serving
from tests.benchmarks.searching import CLIENTS, Answers, answers_of
from tests.benchmarks.table import Contender, Table
from tests.benchmarks.tools import require
from tests.servers import DatabaseDsns

FEW = 100_000
MANY = int(os.environ.get("BENCH_PRODUCTS", "1000000"))
TARGETS = {"reads": 0.9, "lists": 0.8, "searches": None}


class Catalogues:
    """One of each size; loaded when first asked for."""

    def __init__(self, servers: BenchServers, seconds: float) -> None:
        self._servers = servers
        self._seconds = seconds
        self._folder = tempfile.TemporaryDirectory(prefix="bench-million-")
        self._loaded: dict[int, tuple[DatabaseDsns, Loaded]] = {}
        self._last: dict[tuple[str, int], Answers] = {}

    async def rate(self, kind: str, count: int) -> float:
        """Requests per second."""
        dsns, loaded = await self._of(count)
        redis_url = self._servers.redis.url(0)
        async with Redis.from_url(redis_url) as redis:
            await redis.flushdb()
        settings = {
            "SEARCH": "embedded",
            # Each request is to be searched, also one that was asked before.
            "LOCAL_LIST_CACHE_BYTES_MAX": "0",
            "KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:{free_port()}",
            "SEARCH_INDEX_FOLDER": str(self._path(count)),
            "LOCAL_CACHE_BYTES_MAX": "0",
        }
        async with serving(dsns, redis_url, settings) as process:
            answers = await answers_of(process.port, cycle(getattr(loaded, kind)), self._seconds)
        self._last[kind, count] = answers
        return len(answers) / self._seconds

    async def milliseconds(self, kind: str, count: int) -> float:
        """The median of the last round."""
        return median(self._last[kind, count])

    async def figure(self, name: str, count: int) -> float:
        """One of the index."""
        return float(getattr((await self._of(count))[1], name))

    def of_both(
        self, measure: Callable[[str, int], Awaitable[float]], what: str, target: float | None = None
    ) -> list[Contender]:
        """The smaller one first."""
        return [
            Contender(f"{FEW:,} products", partial(measure, what, FEW)),
            Contender(f"{MANY:,} products", partial(measure, what, MANY), target),
        ]

    def _path(self, count: int) -> Path:
        return Path(self._folder.name) / str(count)

    async def _of(self, count: int) -> tuple[DatabaseDsns, Loaded]:
        if count not in self._loaded:
            dsns = await self._servers.read_model()
            self._loaded[count] = dsns, await load(count, dsns, self._path(count))
        return self._loaded[count]


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """Rates, medians, and the index."""
    require("taskset", "util-linux")
    both = Catalogues(servers, seconds)
    rates = [
        Table(
            f"{kind}, not cached, {CLIENTS} clients",
            "requests/s",
            both.of_both(both.rate, kind, target),
        )
        for kind, target in TARGETS.items()
    ]
    medians = [
        Table(
            f"{kind}: p50 of the last round",
            "ms",
            both.of_both(both.milliseconds, kind),
            lower_is_better=True,
        )
        for kind in TARGETS
    ]
    figures = [
        Table(f"search index: {unit}", unit, both.of_both(both.figure, name), lower_is_better=True)
        for name, unit in (("index_seconds", "seconds to build"), ("index_megabytes", "MB on disk"))
    ]
    return [*rates, *medians, *figures]
