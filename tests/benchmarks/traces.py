"""What traces cost: commands and reads over HTTP with traces off, 1 % sampled, and all sampled.

What is measured is the processor time of the process that makes the spans, its sending thread included, for
each request. The receiver throws the spans away. Few connections: a machine that is busy with other work
would refuse requests of many, and the cost of a span is the same.
"""

import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
from uuid_utils.compat import uuid7

from deploy.local.ports import free_port
from tests.benchmarks import commands_http, reads_http
from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.processes import python, running
from tests.benchmarks.reads_http import CLIENT_CORE, HOST
from tests.benchmarks.table import Contender, Table
from tests.benchmarks.tools import require
from tests.benchmarks.wrk import request_rate

CONNECTIONS = 16
_MICROSECONDS = 1_000_000
_RATIOS = {"1 % sampled": "0.01", "all sampled": "1"}
Settings = Mapping[str, str]
Measure = Callable[[Settings], Awaitable[float]]


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """Two tables."""
    require("wrk", "wrk")
    require("taskset", "util-linux")
    documents = {one: reads_http.document(one) for one in (uuid7() for _ in range(reads_http.PRODUCTS))}

    async def commands(settings: Settings) -> float:
        async with commands_http.serving_command_api(servers, settings) as (port, pid):
            url = f"http://{HOST}:{port}/v1/products"
            return await _cost(pid, url, seconds, commands_http.SCRIPT, lambda: f"{time.time_ns():x}")

    async def reads(settings: Settings) -> float:
        async with reads_http.serving_query_api(servers, documents, settings) as (port, pid):
            with tempfile.NamedTemporaryFile("w", prefix="bench-paths-") as paths:
                paths.write("\n".join(f"/v1/products/{each}" for each in documents))
                paths.flush()
                return await _cost(
                    pid, f"http://{HOST}:{port}", seconds, reads_http.SCRIPT, lambda: paths.name
                )

    unit = "µs of processor time a request"
    return [
        Table(f"Traces: {name}", unit, _contenders(measure), lower_is_better=True)
        for name, measure in (("POST /v1/products", commands), ("GET /v1/products/{id} from Redis", reads))
    ]


async def _cost(pid: int, url: str, seconds: float, script: Path, argument: Callable[[], str]) -> float:
    process = psutil.Process(pid)
    await _load(url, 1, script, argument())
    before = _processor_seconds(process)
    requests = await _load(url, seconds, script, argument()) * max(1, round(seconds))
    return (_processor_seconds(process) - before) / requests * _MICROSECONDS


async def _load(url: str, seconds: float, script: Path, argument: str) -> float:
    return await request_rate(
        url, seconds, script=script, arguments=(argument,), core=CLIENT_CORE, connections=CONNECTIONS
    )


def _processor_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _contenders(measure: Measure) -> list[Contender]:
    async def off() -> float:
        return await measure({})

    return [Contender("off", off), *(_sampled(name, ratio, measure) for name, ratio in _RATIOS.items())]


def _sampled(name: str, ratio: str, measure: Measure) -> Contender:
    async def sampled() -> float:
        async with _sink() as endpoint:
            return await measure(
                {
                    "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
                    "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
                    "OTEL_TRACES_SAMPLER_ARG": ratio,
                }
            )

    return Contender(name, sampled)


@asynccontextmanager
async def _sink() -> AsyncIterator[str]:
    port = free_port()
    endpoint = f"http://{HOST}:{port}"
    argv = python("-m", "tests.benchmarks.trace_sink", str(port))
    async with running(*argv, ready_url=endpoint, core=CLIENT_CORE):
        yield endpoint
