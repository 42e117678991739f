"""Single reads while Redis is a black hole: connections stay, and nothing is answered (`TcpProxy.stall`).

Open loop: reads start on schedule. The in-process cache is used as by default, but a thousand products at 200
reads/s are seldom in it.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from statistics import quantiles
from uuid import UUID

import asyncpg
from uuid_utils.compat import uuid7

from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.light_client import LightClient
from tests.benchmarks.query_process import HOST, serving
from tests.benchmarks.reads_http import document
from tests.benchmarks.table import Contender, Table
from tests.tcp_proxy import TcpProxy

READS_PER_SECOND = 200
PRODUCTS = 1000
P99_MILLISECONDS = 300.0
SECONDS_BEFORE = 3.0
_ROWS = """
INSERT INTO views.product_view
SELECT id, 3, 1, 'active', 'slug-' || id, 'A shirt', NULL, NULL, NULL, '{}', now(), now(), document
FROM unnest($1::uuid[], $2::bytea[]) AS given (id, document)
"""


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """Absolute milliseconds; the first row is the bound, so that each ratio must stay below 1."""

    async def bound() -> float:
        return P99_MILLISECONDS

    async def p99(first_seconds: float) -> float:
        return quantiles(await milliseconds(servers, first_seconds), n=100)[98]

    return [
        Table(
            "p99 of single reads since Redis answers nothing any more",
            "ms",
            [
                Contender("bound", bound),
                Contender("in the first second", partial(p99, 1.0), 1.0),
                Contender("in the first seconds", partial(p99, max(5.0, seconds)), 1.0),
            ],
            lower_is_better=True,
        )
    ]


async def milliseconds(servers: BenchServers, seconds: float) -> list[float]:
    """One duration for each read that began in the first `seconds` of the black hole."""
    durations: list[float] = []
    async with _serving(servers) as (client, proxy, ids):
        started = time.perf_counter()
        async with asyncio.TaskGroup() as reads:
            for number in range(round((SECONDS_BEFORE + seconds) * READS_PER_SECOND)):
                await asyncio.sleep(max(0.0, started + number / READS_PER_SECOND - time.perf_counter()))
                if number == round(SECONDS_BEFORE * READS_PER_SECOND):
                    proxy.stall()
                    durations.clear()
                reads.create_task(_read(client, random.choice(ids), durations))
    return durations


async def _read(client: LightClient, product_id: UUID, durations: list[float]) -> None:
    began = time.perf_counter()
    await client.request("GET", f"/v1/products/{product_id}")
    durations.append((time.perf_counter() - began) * 1000)


@asynccontextmanager
async def _serving(servers: BenchServers) -> AsyncIterator[tuple[LightClient, TcpProxy, list[UUID]]]:
    dsns = await servers.read_model()
    ids = [uuid7() for _ in range(PRODUCTS)]
    connection = await asyncpg.connect(dsns.projector)
    await connection.execute(_ROWS, ids, [document(each) for each in ids])
    await connection.close()
    async with TcpProxy(HOST, servers.redis.port) as proxy:
        redis_url = servers.redis.url(2).replace(f":{servers.redis.port}/", f":{proxy.port}/")
        settings = {"REDIS_KEY_PREFIX": f"bench-{time.time_ns():x}"}
        async with serving(dsns, redis_url, settings, core=None) as process:
            client = LightClient(HOST, process.port)
            try:
                for product_id in ids:
                    await client.request("GET", f"/v1/products/{product_id}")
                yield client, proxy, ids
            finally:
                client.close()
