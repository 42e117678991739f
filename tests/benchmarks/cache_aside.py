"""Single reads against what a user would build: FastAPI, SQLAlchemy and redis-py as a cache aside.

Both are one process on core 0; wrk (64 connections) and Redis have core 1. All products are cached before the
measurement; the comparison's cache was filled by its own reads of its tables.
"""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from uuid import UUID

import asyncpg
import msgspec
from redis.asyncio import Redis
from uuid_utils.compat import uuid7

from deploy.local.ports import free_port
from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.light_client import LightClient
from tests.benchmarks.processes import pin, python, running
from tests.benchmarks.query_process import HOST, SERVER_CORE
from tests.benchmarks.reads_http import (
    CLIENT_CORE,
    LOCAL_CACHE,
    PRODUCTS,
    SCRIPT,
    document,
    query_api_rate,
)
from tests.benchmarks.table import Contender, Table
from tests.benchmarks.tools import require
from tests.benchmarks.wrk import request_rate
from tests.servers import DatabaseDsns

REDIS_DATABASE = 3
_INSERT_PRODUCTS = """
INSERT INTO aside_product
SELECT * FROM json_populate_recordset(NULL::aside_product, $1::json)
"""
_INSERT_VARIANTS = """
INSERT INTO aside_variant
SELECT * FROM json_populate_recordset(NULL::aside_variant, $1::json)
"""


class CacheAside:
    """The comparison, and its products."""

    def __init__(self, servers: BenchServers, seconds: float) -> None:
        self._servers = servers
        self._seconds = seconds
        self.documents: dict[UUID, bytes] = {
            product_id: document(product_id) for product_id in (uuid7() for _ in range(PRODUCTS))
        }
        self._dsns: DatabaseDsns | None = None

    async def rate(self, prefix: str) -> float:
        """Requests per second of one of its two ways to answer."""
        async with self._serving() as port:
            with tempfile.NamedTemporaryFile("w", prefix="bench-paths-") as paths:
                paths.write("\n".join(f"{prefix}/v1/products/{each}" for each in self.documents))
                paths.flush()
                url, arguments = f"http://{HOST}:{port}", (paths.name,)
                await request_rate(url, 1, script=SCRIPT, arguments=arguments, core=CLIENT_CORE)
                return await request_rate(
                    url, self._seconds, script=SCRIPT, arguments=arguments, core=CLIENT_CORE
                )

    @asynccontextmanager
    async def _serving(self) -> AsyncIterator[int]:
        """Its port; the first time, its tables are filled, and each product is read once."""
        is_new = self._dsns is None
        self._dsns = self._dsns or self._servers.empty_database()
        port = free_port()
        environment = {
            "CACHE_ASIDE_DSN": self._dsns.owner.replace("postgresql://", "postgresql+asyncpg://"),
            "CACHE_ASIDE_REDIS_URL": self._servers.redis.url(REDIS_DATABASE),
        }
        argv = python(
            "-m", "uvicorn", "tests.benchmarks.cache_aside_app:app", "--port", str(port),
            "--no-access-log", "--log-level", "warning",
        )  # fmt: skip
        ready = f"http://{HOST}:{port}/openapi.json"
        async with running(*argv, ready_url=ready, environment=environment, core=SERVER_CORE):
            if is_new:
                pin(self._servers.redis.pid, CLIENT_CORE)
                await self._fill(port)
            yield port

    async def _fill(self, port: int) -> None:
        assert self._dsns is not None
        products = [msgspec.json.decode(body) for body in self.documents.values()]
        for number, one in enumerate(products):
            one["slug"] = f"{number:x}".zfill(len(one["slug"]))  # unique, and as long
        variants = [{**variant, "product_id": one["id"]} for one in products for variant in one["variants"]]
        for number, variant in enumerate(variants):
            variant["sku"] = f"{number:x}".zfill(len(variant["sku"]))
        connection = await asyncpg.connect(self._dsns.owner)
        await connection.execute(_INSERT_PRODUCTS, msgspec.json.encode(products).decode())
        await connection.execute(_INSERT_VARIANTS, msgspec.json.encode(variants).decode())
        await connection.close()
        async with Redis.from_url(self._servers.redis.url(REDIS_DATABASE)) as redis:
            await redis.flushdb()
        client = LightClient(HOST, port)
        for product_id in self.documents:
            await client.request("GET", f"/v1/products/{product_id}")
        client.close()


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """One table."""
    require("wrk", "wrk")
    require("taskset", "util-linux")
    aside = CacheAside(servers, seconds)
    ours = partial(query_api_rate, servers, aside.documents, seconds)
    contenders = [
        Contender("FastAPI + SQLAlchemy + redis-py (uvicorn)", partial(aside.rate, "")),
        Contender("the same, answers the cached bytes", partial(aside.rate, "/plain")),
        Contender("query API, from Redis", ours, 8.0),
        Contender("query API, from the in-process cache", partial(ours, LOCAL_CACHE), 8.0),
    ]
    return [Table("GET /v1/products/{id} against a cache aside, one core", "requests/s", contenders)]
