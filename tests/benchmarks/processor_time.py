"""The processor time of a serving process for each request, for benchmarks that compare settings.

Processor time, and few connections: a machine that is busy with other work would refuse requests of many, and
the cost of a request is the same.
"""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from uuid import UUID

import psutil

from tests.benchmarks import reads_http
from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.query_process import HOST
from tests.benchmarks.reads_http import CLIENT_CORE
from tests.benchmarks.wrk import request_rate

UNIT = "µs of processor time a request"
CONNECTIONS = 16
_MICROSECONDS = 1_000_000


async def cost(
    pid: int, url: str, seconds: float, script: Path, argument: Callable[[], str], *, token: str | None = None
) -> float:
    """In microseconds, all threads of the process included; after a second that is not measured."""
    process = psutil.Process(pid)
    await _load(url, 1, script, argument(), token)
    before = _processor_seconds(process)
    requests = await _load(url, seconds, script, argument(), token) * max(1, round(seconds))
    return (_processor_seconds(process) - before) / requests * _MICROSECONDS


async def cost_of_reads(
    servers: BenchServers,
    documents: dict[UUID, bytes],
    seconds: float,
    settings: Mapping[str, str],
    *,
    token: str | None = None,
) -> float:
    """That of `GET /v1/products/{id}` from Redis, in a query API with these settings."""
    async with reads_http.serving_query_api(servers, documents, settings) as (port, pid):
        with tempfile.NamedTemporaryFile("w", prefix="bench-paths-") as paths:
            paths.write("\n".join(f"/v1/products/{each}" for each in documents))
            paths.flush()
            url = f"http://{HOST}:{port}"
            return await cost(pid, url, seconds, reads_http.SCRIPT, lambda: paths.name, token=token)


async def _load(url: str, seconds: float, script: Path, argument: str, token: str | None) -> float:
    return await request_rate(
        url,
        seconds,
        script=script,
        arguments=(argument,),
        core=CLIENT_CORE,
        connections=CONNECTIONS,
        token=token,
    )


def _processor_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
