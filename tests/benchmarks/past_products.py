"""`GET /v1/products/{id}?as_of=…` at random times, of a product with 50,000 events, against one with 500.

One client, one request at a time. `python -m projector snapshots` makes the snapshots of both. There are as
many short streams beside them as usual: PostgreSQL chooses its plans by the average stream.
"""

import asyncio
import os
import random
import time
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from statistics import median, quantiles
from uuid import UUID

import asyncpg

from shared.contract.recorded_event import RecordedEvent
from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.light_client import LightClient
from tests.benchmarks.processes import python
from tests.benchmarks.query_process import HOST, serving
from tests.benchmarks.table import Contender, Table
from tests.integration.event_store_world import insert_events
from tests.past_events import BEGAN, created, past_events, priced
from tests.servers import DatabaseDsns

SHORT, LONG = 500, 50_000
OTHER_PRODUCTS = 5_000
TARGET = 1.25
WARM_UP_REQUESTS = 20


class PastProducts:
    """Two products in one log."""

    def __init__(self, servers: BenchServers, seconds: float) -> None:
        self._servers = servers
        self._seconds = seconds
        self._databases: tuple[DatabaseDsns, DatabaseDsns] | None = None
        self._ids: dict[int, UUID] = {}
        self._last: dict[int, list[float]] = {}

    async def median(self, events: int) -> float:
        """Milliseconds a request, of the product with so many events."""
        log, views = await self._filled()
        settings = {"EVENT_STORE_READ_DSN": log.log_reader}
        async with serving(views, self._servers.redis.url(0), settings) as process:
            client = LightClient(HOST, process.port)
            await self._ask(client, events, requests_max=WARM_UP_REQUESTS)
            self._last[events] = await self._ask(client, events)
            client.close()
        return median(self._last[events])

    async def p99(self, events: int) -> float:
        """That of the last round."""
        return quantiles(self._last[events], n=100)[98]

    async def _ask(self, client: LightClient, events: int, requests_max: int | None = None) -> list[float]:
        taken: list[float] = []
        ends = time.perf_counter() + self._seconds
        while time.perf_counter() < ends and (requests_max is None or len(taken) < requests_max):
            version = random.randint(1, events)
            as_of = (BEGAN + timedelta(seconds=version - 1)).isoformat().replace("+00:00", "Z")
            began = time.perf_counter()
            answer = await client.request("GET", f"/v1/products/{self._ids[events]}?as_of={as_of}")
            taken.append((time.perf_counter() - began) * 1000)
            if answer.json()["version"] != version:
                raise RuntimeError(f"version {answer.json()['version']} instead of {version}")
        return taken

    async def _filled(self) -> tuple[DatabaseDsns, DatabaseDsns]:
        if self._databases is None:
            log, views = await self._servers.event_store(), await self._servers.read_model()
            owner = await asyncpg.connect(log.owner)
            for events in (SHORT, LONG):
                self._ids[events] = await _append(owner, _changes(events))
            for _ in range(OTHER_PRODUCTS):
                await _append(owner, past_events(created(), priced("1.95"), priced("2.95")))
            await owner.execute("VACUUM ANALYZE catalogue.events")
            await owner.close()
            await _make_snapshots(log, views)
            self._databases = log, views
        return self._databases


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """The median and the slowest."""
    past = PastProducts(servers, seconds)
    return [
        Table(
            f"GET /v1/products/{{id}}?as_of=, {name}",
            "ms",
            [
                Contender(f"a stream of {SHORT:,} events", partial(measure, SHORT)),
                Contender(f"a stream of {LONG:,} events", partial(measure, LONG), target),
            ],
            lower_is_better=True,
        )
        for name, measure, target in (
            ("median", past.median, TARGET),
            ("p99 of the last round", past.p99, None),
        )
    ]


def _changes(events: int) -> Sequence[RecordedEvent]:
    """A product whose price changes each second."""
    prices = [priced(f"{number % 1000 + 1}.95") for number in range(events - 1)]
    return past_events(created(), *prices, times=[BEGAN + timedelta(seconds=at) for at in range(events)])


async def _append(owner: "asyncpg.Connection[asyncpg.Record]", events: Sequence[RecordedEvent]) -> UUID:
    first, last = events[0], events[-1]
    async with owner.transaction():
        await insert_events(owner, events)
        await owner.execute(
            "INSERT INTO catalogue.streams VALUES ($1, $2, $3, $4)",
            last.product_id, last.stream_version, first.log_position, last.log_position,
        )  # fmt: skip
    return last.product_id


async def _make_snapshots(log: DatabaseDsns, views: DatabaseDsns) -> None:
    environment = {"EVENT_STORE_READ_DSN": log.log_reader, "READ_MODEL_DSN": views.projector}
    process = await asyncio.create_subprocess_exec(
        *python("-m", "projector", "snapshots"), env={**os.environ, **environment}
    )
    if await process.wait() != 0:
        raise RuntimeError("the snapshots could not be made")
