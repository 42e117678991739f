"""Reads over HTTP: `GET /v1/products/{id}` from Redis and from the process, against nginx serving files of
the same size.

The server is pinned to core 0; wrk (64 connections) and Redis to core 1. Both get 10,000 different addresses.
"""

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from redis.asyncio import Redis
from uuid_utils.compat import uuid7

from deploy.local.ports import free_port
from shared.contract.addresses import product_key
from shared.contract.cached_document import pack
from shared.contract.events import Image, Money, Variant
from shared.contract.views import ProductDocument, encode_document
from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.processes import pin, running
from tests.benchmarks.query_process import HOST, NOTHING, SERVER_CORE, serving
from tests.benchmarks.table import Contender, Table
from tests.benchmarks.tools import require
from tests.benchmarks.wrk import request_rate

PRODUCTS = 10_000
CLIENT_CORE = 1
SCRIPT = Path(__file__).with_name("get_products.lua")
# For a minute: within 2 s a slow machine does not read each of 10,000 documents often enough for hits alone.
LOCAL_CACHE = {"LOCAL_CACHE_BYTES_MAX": str(64 * 1024 * 1024), "LOCAL_CACHE_SECONDS_MAX": "60"}
NGINX_CONFIG = """worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; default_type application/json;
  open_file_cache max=20000 inactive=10m; open_file_cache_valid 10m;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """One table."""
    require("nginx", "nginx-light")
    require("wrk", "wrk")
    require("taskset", "util-linux")
    documents = {product_id: document(product_id) for product_id in (uuid7() for _ in range(PRODUCTS))}

    async def nginx() -> float:
        return await nginx_rate(documents, seconds)

    async def from_redis() -> float:
        return await query_api_rate(servers, documents, seconds)

    async def from_process() -> float:
        return await query_api_rate(servers, documents, seconds, LOCAL_CACHE)

    size = len(next(iter(documents.values())))
    contenders = [
        Contender(f"nginx, static files of {size} bytes", nginx),
        Contender("query API, from Redis", from_redis, 0.55),
        Contender("query API, from the in-process cache", from_process, 0.8),
    ]
    return [Table("GET /v1/products/{id}, one process on one core", "requests/s", contenders)]


def document(product_id: UUID) -> bytes:
    """A product of two variants, as readers get it."""
    now = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
    variants = tuple(
        Variant(f"OBS-{size}", {"size": size}, Money("50.00", "USD"), weight_grams=240) for size in ("M", "L")
    )
    return encode_document(
        ProductDocument(
            product_id,
            3,
            "active",
            f"ocean-blue-shirt-{product_id.hex[-6:]}",
            "Ocean Blue Shirt",
            "A shirt as blue as the ocean",
            "Ocean",
            "Shirts",
            "apparel/shirts",
            ("men", "summer"),
            {"colour": "blue"},
            (Image("https://cdn.example/ocean.jpg", "Front"),),
            variants,
            now,
            now,
            now,
        )
    )


async def nginx_rate(documents: dict[UUID, bytes], seconds: float) -> float:
    """nginx, with which the query API is compared."""
    files = {f"/v1/products/{product_id}": body for product_id, body in documents.items()}
    async with serving_nginx(files) as port:
        return await _get(documents, port, seconds)


@asynccontextmanager
async def serving_nginx(files: Mapping[str, bytes]) -> AsyncIterator[int]:
    """Its port; each file is at its path."""
    with tempfile.TemporaryDirectory(prefix="bench-nginx-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for path, body in files.items():
            file = folder / path.removeprefix("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(body)
        port = free_port()
        (folder / "nginx.conf").write_text(NGINX_CONFIG.format(folder=folder, port=port))
        argv = (require("nginx", "nginx-light"), "-c", str(folder / "nginx.conf"), "-p", name)
        async with running(*argv, ready_url=f"http://{HOST}:{port}/", core=SERVER_CORE):
            yield port


async def query_api_rate(
    servers: BenchServers,
    documents: dict[UUID, bytes],
    seconds: float,
    settings: Mapping[str, str] = NOTHING,
) -> float:
    """The query API, with every document in Redis."""
    async with serving_query_api(servers, documents, settings) as (port, _):
        return await _get(documents, port, seconds)


@asynccontextmanager
async def serving_query_api(
    servers: BenchServers, documents: dict[UUID, bytes], settings: Mapping[str, str] = NOTHING
) -> AsyncIterator[tuple[int, int]]:
    """Its port and its process id, with every document in Redis; the in-process cache is off, unless
    `settings` has it.
    """
    async with _filled_redis(servers, documents) as redis_url:
        cached = {"LOCAL_CACHE_BYTES_MAX": "0", **settings}
        async with serving(await servers.read_model(), redis_url, cached) as process:
            yield process.port, process.pid


@asynccontextmanager
async def _filled_redis(servers: BenchServers, documents: dict[UUID, bytes]) -> AsyncIterator[str]:
    url = servers.redis.url(0)
    pin(servers.redis.pid, CLIENT_CORE)
    async with Redis.from_url(url) as redis:
        await redis.flushdb()
        packed = {product_key("catalogue", each): pack(3, body) for each, body in documents.items()}
        await redis.mset(packed)
        yield url


async def _get(documents: dict[UUID, bytes], port: int, seconds: float) -> float:
    url = f"http://{HOST}:{port}"
    with tempfile.NamedTemporaryFile("w", prefix="bench-paths-") as paths:
        paths.write("\n".join(f"/v1/products/{each}" for each in documents))
        paths.flush()
        await request_rate(url, 1, script=SCRIPT, arguments=(paths.name,), core=CLIENT_CORE)
        return await request_rate(url, seconds, script=SCRIPT, arguments=(paths.name,), core=CLIENT_CORE)
