"""Commands over HTTP: `POST /v1/products` against the plain CRUD service that a user would build instead.

Same database server, one API process each, 64 connections; ours with idempotency keys.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local.ports import free_port
from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.processes import python, running
from tests.benchmarks.table import Contender, Table
from tests.benchmarks.tools import require
from tests.benchmarks.wrk import request_rate

SCRIPT = Path(__file__).with_name("create_products.lua")
HOST = "127.0.0.1"
NOTHING: Mapping[str, str] = {}


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """One table."""
    require("wrk", "wrk")

    async def crud() -> float:
        return await crud_rate(servers, seconds)

    async def ours() -> float:
        return await command_api_rate(servers, seconds)

    contenders = [
        Contender("FastAPI + SQLAlchemy async CRUD (uvicorn, pool of 20)", crud),
        Contender("command API, keys on", ours, 3.0),
    ]
    return [Table("POST /v1/products, 64 connections, one process", "requests/s", contenders)]


async def crud_rate(servers: BenchServers, seconds: float) -> float:
    """The comparison service."""
    async with serving_crud(servers) as (port, _):
        return await _post(port, seconds)


@asynccontextmanager
async def serving_crud(servers: BenchServers) -> AsyncIterator[tuple[int, int]]:
    """The comparison service over a new database: its port and its process id."""
    port, dsn = free_port(), servers.empty_database().owner
    environment = {"CRUD_DSN": dsn.replace("postgresql://", "postgresql+asyncpg://")}
    create = await asyncio.create_subprocess_exec(
        *python("-m", "tests.benchmarks.crud_tables"), env={**os.environ, **environment}
    )
    if await create.wait() != 0:
        raise RuntimeError("the comparison's tables could not be made")
    quiet = ("--no-access-log", "--log-level", "warning")
    argv = python("-m", "uvicorn", "tests.benchmarks.crud_app:app", "--port", str(port), *quiet)
    ready = f"http://{HOST}:{port}/openapi.json"
    async with running(*argv, ready_url=ready, environment=environment) as process:
        yield port, process.pid


async def command_api_rate(servers: BenchServers, seconds: float) -> float:
    """Ours."""
    async with serving_command_api(servers) as (port, _):
        return await _post(port, seconds)


@asynccontextmanager
async def serving_command_api(
    servers: BenchServers, settings: Mapping[str, str] = NOTHING
) -> AsyncIterator[tuple[int, int]]:
    """Its port and its process id."""
    dsns = await servers.event_store()
    port, ops_port = free_port(), free_port()
    environment = {
        "EVENT_STORE_DSN": dsns.writer,
        "COMMAND_PORT": str(port),
        "COMMAND_OPS_PORT": str(ops_port),
        **settings,
    }
    ready = f"http://{HOST}:{ops_port}/readyz"
    argv = python("-m", "command_api", "serve")
    async with running(*argv, ready_url=ready, environment=environment) as process:
        yield port, process.pid


async def _post(port: int, seconds: float) -> float:
    url = f"http://{HOST}:{port}/v1/products"
    await request_rate(url, 1, script=SCRIPT, arguments=(f"{time.time_ns():x}",))
    return await request_rate(url, seconds, script=SCRIPT, arguments=(f"{time.time_ns():x}",))


if __name__ == "__main__":
    sys.exit("run `python -m tests.benchmarks commands_http`")
