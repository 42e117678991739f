"""Searches while products change: 20 clients as in `searching` with 100 changes a second beside them,
against the same searches without changes.

Both in turn on one process, pinned to core 0, which follows `products-state` as in production. Kafka, Redis
and the benchmark's process, which searches and publishes, have the other core. There are so many texts that
no result is asked for twice: kept results would make the searches without changes faster.
"""

import asyncio
import re
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from statistics import quantiles
from typing import NamedTuple

import httpx

from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.catalogue import Catalogue
from tests.benchmarks.processes import pin
from tests.benchmarks.published_states import PublishedStates
from tests.benchmarks.query_process import HOST, QueryProcess, serving
from tests.benchmarks.reads_http import CLIENT_CORE
from tests.benchmarks.searching import ASKED, CLIENTS, PRODUCTS, Answers, answers_of
from tests.benchmarks.table import Contender, Measure, Table
from tests.benchmarks.tools import require
from tests.servers import DatabaseDsns

CHANGES_PER_SECOND = 100
QUERIES = 30_000
WARM_UP_SECONDS = 2.0
# The last changes may be committed after the last search.
COMMITTED_SHARE_MIN = 0.9
_COMMITTED = re.compile(r"^search_index_committed_states_total ([0-9.e+]+)$", re.MULTILINE)


class Round(NamedTuple):
    """Milliseconds of each search, and the seconds until the process was ready."""

    still: Answers
    changing: Answers
    start_seconds: float


class SearchesAndChanges:
    """All processes have the same folder of the index: the first one builds it from the topic."""

    def __init__(self, servers: BenchServers, seconds: float) -> None:
        self._servers = servers
        self._seconds = seconds
        self._catalogue = Catalogue(PRODUCTS)
        self._paths = self._catalogue.paths(ASKED, QUERIES)
        self._folder = tempfile.TemporaryDirectory(prefix="bench-index-")
        self._published: PublishedStates | None = None
        self._dsns: DatabaseDsns | None = None
        self._rounds: list[Round] = []
        self._first_start_seconds: float | None = None

    async def measure(self) -> float:
        """One round; searches per second without changes."""
        states = await self._states()
        began = time.perf_counter()
        async with self._serving(states) as process, states.writing():
            start_seconds = time.perf_counter() - began
            paths = iter(self._paths)
            await answers_of(process.port, paths, WARM_UP_SECONDS)
            still = await answers_of(process.port, paths, self._seconds)
            before = await _committed(process)
            async with asyncio.TaskGroup() as tasks:
                changes = tasks.create_task(states.change(CHANGES_PER_SECOND, self._seconds))
                searches = tasks.create_task(answers_of(process.port, paths, self._seconds))
            shown = await _committed(process) - before
        if shown < changes.result() * COMMITTED_SHARE_MIN:
            raise RuntimeError(f"searches show {shown:.0f} of {changes.result()} changes")
        self._rounds.append(Round(still, searches.result(), start_seconds))
        return self._rate(still)

    async def first_start(self) -> float:
        """Seconds from the start of a process without an index until it is ready."""
        if self._first_start_seconds is None:
            raise RuntimeError("the topic was not published")
        return self._first_start_seconds

    def of_round(self, figure: Callable[[Round], float]) -> Measure:
        """A figure of the first round, then of the next."""
        numbers = count()

        async def told() -> float:
            return figure(self._rounds[next(numbers)])

        return told

    def changing_rate(self, one: Round) -> float:
        """Searches per second beside changes."""
        return self._rate(one.changing)

    def _rate(self, answers: Answers) -> float:
        return len(answers) / self._seconds

    async def _states(self) -> PublishedStates:
        """The topic, made once, and an index of it."""
        if self._published is None:
            self._dsns = await self._servers.read_model()
            kafka = self._servers.kafka
            for pid in (kafka.pid, self._servers.redis.pid):
                pin(pid, CLIENT_CORE)
            states = PublishedStates(self._catalogue, kafka.bootstrap_servers, self._servers.redis.url(0))
            async with states.writing():
                await states.publish_all()
            began = time.perf_counter()
            async with self._serving(states):
                self._first_start_seconds = time.perf_counter() - began
            self._published = states
        return self._published

    @asynccontextmanager
    async def _serving(self, states: PublishedStates) -> AsyncIterator[QueryProcess]:
        settings = {
            "SEARCH": "embedded",
            # Each request is to be searched, also one that was asked before.
            "LOCAL_LIST_CACHE_BYTES_MAX": "0",
            "KAFKA_BOOTSTRAP_SERVERS": self._servers.kafka.bootstrap_servers,
            "KAFKA_TOPIC_PREFIX": states.prefix,
            "SEARCH_INDEX_FOLDER": self._folder.name,
        }
        assert self._dsns is not None
        async with serving(self._dsns, self._servers.redis.url(0), settings) as process:
            yield process


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """Rates, latencies, and how long a new process takes."""
    require("taskset", "util-linux")
    both = SearchesAndChanges(servers, max(seconds, 5.0))
    told = both.of_round
    title = f"search of {PRODUCTS:,} products, {CLIENTS} clients, {CHANGES_PER_SECOND} changes/s"
    without, beside = "without changes", f"beside {CHANGES_PER_SECOND} changes/s"
    return [
        Table(
            title,
            "searches/s",
            [Contender(without, both.measure), Contender(beside, told(both.changing_rate), 0.5)],
        ),
        *(
            Table(
                f"{title}: p{percent}",
                "ms",
                [
                    Contender(without, told(partial(_of_still, percent))),
                    Contender(beside, told(partial(_of_changing, percent)), 2.0),
                ],
                lower_is_better=True,
            )
            for percent in (50, 99)
        ),
        Table(
            f"{title}: spread beside changes",
            "ms",
            [
                Contender("p50", told(partial(_of_changing, 50))),
                Contender("p99", told(partial(_of_changing, 99)), 4.0),
            ],
            lower_is_better=True,
        ),
        Table(
            f"a process that follows a topic of {PRODUCTS:,} products",
            "seconds until it is ready",
            [
                Contender("without an index", both.first_start),
                Contender("with the index of its last run", told(lambda one: one.start_seconds)),
            ],
            lower_is_better=True,
        ),
    ]


def _of_still(percent: int, one: Round) -> float:
    return quantiles(one.still, n=100)[percent - 1]


def _of_changing(percent: int, one: Round) -> float:
    return quantiles(one.changing, n=100)[percent - 1]


async def _committed(process: QueryProcess) -> float:
    async with httpx.AsyncClient(timeout=30) as client:
        metrics = (await client.get(f"http://{HOST}:{process.ops_port}/metrics")).text
    found = _COMMITTED.search(metrics)
    if found is None:
        raise RuntimeError("the metrics lack the committed states")
    return float(found.group(1))
