"""The query API as a process of a benchmark; all suites start it in the same way."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

from deploy.local.ports import free_port
from tests.benchmarks.processes import python, running
from tests.servers import DatabaseDsns

HOST = "127.0.0.1"
SERVER_CORE = 0
NOTHING: Mapping[str, str] = {}


class QueryProcess(NamedTuple):
    """A running query API."""

    port: int
    ops_port: int
    pid: int


@asynccontextmanager
async def serving(
    dsns: DatabaseDsns,
    redis_url: str,
    settings: Mapping[str, str] = NOTHING,
    *,
    core: int | None = SERVER_CORE,
) -> AsyncIterator[QueryProcess]:
    """Until the end of the block, from when it is ready. Search is off unless `settings` switch it on, so
    that it needs no Kafka.
    """
    port, ops_port = free_port(), free_port()
    environment = {
        "READ_MODEL_DSN": dsns.reader,
        "REDIS_URL": redis_url,
        "QUERY_PORT": str(port),
        "QUERY_OPS_PORT": str(ops_port),
        "SEARCH": "off",
        **settings,
    }
    ready = f"http://{HOST}:{ops_port}/readyz"
    argv = python("-m", "query_api", "serve")
    async with running(*argv, ready_url=ready, environment=environment, core=core) as process:
        yield QueryProcess(port, ops_port, process.pid)
