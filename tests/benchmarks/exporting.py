"""The export of 100,000 products over HTTP, against COPY of the same documents by asyncpg.

From the request to the last byte, and nothing is kept. The process is pinned to core 0; curl is not. COPY is
that of the export, in the process of the benchmark: the ratio is the price of HTTP and of the format.
"""

import asyncio
import time
from uuid import UUID

import asyncpg
from uuid_utils.compat import uuid7

from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.query_process import HOST, serving
from tests.benchmarks.reads_http import document
from tests.benchmarks.table import Contender, Table
from tests.benchmarks.tools import require
from tests.servers import DatabaseDsns

PRODUCTS = 100_000
INSERT = """
INSERT INTO views.product_view
SELECT id, 3, 1, 'active', 's' || id, 'n', 'b', NULL, 'apparel', '{}', now(), now(), document
FROM unnest($1::uuid[], $2::bytea[]) AS product(id, document)
"""
COPIED = "SELECT convert_from(document, 'UTF8') FROM views.product_view WHERE status = 'active'"


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """One table; `seconds` does not matter: the work is fixed."""
    require("curl", "curl")
    require("taskset", "util-linux")
    dsns = await servers.read_model()
    size = await _fill(dsns)

    async def copy() -> float:
        return await _copy_rate(dsns)

    def export(query: str, *more: str) -> Contender:
        async def rate() -> float:
            return await _export_rate(servers, dsns, query, more)

        target = None if more else 0.3
        return Contender(f"export, {' '.join([query, *more[1:2]])}", rate, target)

    contenders = [
        Contender(f"COPY TO STDOUT, documents of {size} bytes", copy),
        export("ndjson"),
        export("ndjson", "-H", "Accept-Encoding: zstd"),
        export("ndjson", "-H", "Accept-Encoding: gzip"),
        export("csv"),
    ]
    return [Table("Export of 100,000 products", "documents/s", contenders)]


async def _fill(dsns: DatabaseDsns) -> int:
    documents: dict[UUID, bytes] = {each: document(each) for each in (uuid7() for _ in range(PRODUCTS))}
    connection = await asyncpg.connect(dsns.projector)
    try:
        await connection.execute(INSERT, list(documents), list(documents.values()))
    finally:
        await connection.close()
    owner = await asyncpg.connect(dsns.owner)
    try:
        await owner.execute("VACUUM ANALYZE views.product_view")
    finally:
        await owner.close()
    return len(next(iter(documents.values())))


async def _copy_rate(dsns: DatabaseDsns) -> float:
    lines = 0

    async def count(data: bytes) -> None:
        nonlocal lines
        lines += data.count(b"\n")

    connection = await asyncpg.connect(dsns.reader)
    try:
        started = time.perf_counter()
        await connection.copy_from_query(COPIED, output=count)
        elapsed = time.perf_counter() - started
    finally:
        await connection.close()
    if lines != PRODUCTS:
        raise RuntimeError(f"{lines} documents instead of {PRODUCTS}")
    return PRODUCTS / elapsed


async def _export_rate(
    servers: BenchServers, dsns: DatabaseDsns, wanted: str, more: tuple[str, ...]
) -> float:
    async with serving(dsns, servers.redis.url(0)) as process:
        url = f"http://{HOST}:{process.port}/v1/products/export?format={wanted}"
        await _curl(url + "&status=draft", more)
        started = time.perf_counter()
        await _curl(url, more)
        return PRODUCTS / (time.perf_counter() - started)


async def _curl(url: str, more: tuple[str, ...]) -> None:
    """Fails if the answer is an error or is not whole."""
    process = await asyncio.create_subprocess_exec(
        "curl", "--silent", "--fail", "--output", "/dev/null", *more, url
    )
    if await process.wait():
        raise RuntimeError(f"curl ended with {process.returncode}")
