"""Pages of lists over HTTP: `GET /v1/products?category=…` while the pages are cached, against nginx serving
files of the same size.

The server is pinned to core 0; wrk and Redis to core 1. Each page of the 20 categories has 50 products.
16 connections: a caller that asks for more lists at a time is refused some (docs/http.md, overload).
"""

import tempfile
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import asyncpg
import httpx
from uuid_utils.compat import uuid7

from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.processes import pin
from tests.benchmarks.query_process import HOST, serving
from tests.benchmarks.reads_http import CLIENT_CORE, SCRIPT, document, serving_nginx
from tests.benchmarks.table import Contender, Table
from tests.benchmarks.tools import require
from tests.benchmarks.wrk import request_rate
from tests.servers import DatabaseDsns

CATEGORIES, PRODUCTS_EACH = 20, 100
CONNECTIONS = 16
PATHS = [f"/v1/products?category=category-{number}" for number in range(CATEGORIES)]
INSERT = """
INSERT INTO views.product_view
SELECT id, 3, 1, 'active', 's' || id, 'n', 'b', NULL, 'category-' || number % $3, '{}', $4, $4, document
FROM unnest($1::uuid[], $2::bytea[]) WITH ORDINALITY AS product(id, document, number)
"""


class Pages:
    """The table of products, and the pages as the query API makes them."""

    def __init__(self, servers: BenchServers, seconds: float) -> None:
        self._servers = servers
        self._seconds = seconds
        self._dsns: DatabaseDsns | None = None

    async def of_nginx(self) -> float:
        """Requests per second."""
        bodies = await self._bodies()
        paths = {f"/pages/{number}": body for number, body in enumerate(bodies)}
        async with serving_nginx(paths) as port:
            return await self._rate(port, list(paths))

    async def ours(self) -> float:
        """Requests per second."""
        async with serving(await self._filled(), self._servers.redis.url(0)) as process:
            return await self._rate(process.port, PATHS)

    async def _bodies(self) -> list[bytes]:
        async with (
            serving(await self._filled(), self._servers.redis.url(0)) as process,
            httpx.AsyncClient(base_url=f"http://{HOST}:{process.port}", timeout=30) as client,
        ):
            return [(await client.get(path)).raise_for_status().content for path in PATHS]

    async def _filled(self) -> DatabaseDsns:
        if self._dsns is None:
            pin(self._servers.redis.pid, CLIENT_CORE)
            self._dsns = await self._servers.read_model()
            documents: dict[UUID, bytes] = {
                each: document(each) for each in (uuid7() for _ in range(CATEGORIES * PRODUCTS_EACH))
            }
            connection = await asyncpg.connect(self._dsns.projector)
            await connection.execute(
                INSERT, list(documents), list(documents.values()), CATEGORIES, datetime.now(UTC)
            )
            await connection.close()
        return self._dsns

    async def _rate(self, port: int, paths: list[str]) -> float:
        with tempfile.NamedTemporaryFile("w", prefix="bench-paths-") as file:
            file.write("\n".join(paths))
            file.flush()
            url = f"http://{HOST}:{port}"
            measure = partial(
                request_rate,
                url,
                script=SCRIPT,
                arguments=(file.name,),
                core=CLIENT_CORE,
                connections=CONNECTIONS,
            )
            await measure(1)
            return await measure(self._seconds)


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """One table."""
    require("nginx", "nginx-light")
    require("wrk", "wrk")
    require("taskset", "util-linux")
    pages = Pages(servers, seconds)
    contenders = [
        Contender("nginx, static files of the same size", pages.of_nginx),
        Contender("query API, cached pages", pages.ours, 0.4),
    ]
    return [Table("GET /v1/products, pages of 50, one process on one core", "requests/s", contenders)]
