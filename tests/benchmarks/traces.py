"""What traces cost: commands and reads over HTTP with traces off, 1 % sampled, and all sampled.

What is measured is the processor time of the process that makes the spans, its sending thread included, for
each request. The receiver throws the spans away.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from uuid_utils.compat import uuid7

from deploy.local.ports import free_port
from tests.benchmarks import commands_http, reads_http
from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.processes import python, running
from tests.benchmarks.processor_time import UNIT, cost, cost_of_reads
from tests.benchmarks.query_process import HOST
from tests.benchmarks.reads_http import CLIENT_CORE
from tests.benchmarks.table import Contender, Table
from tests.benchmarks.tools import require

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
            return await cost(pid, url, seconds, commands_http.SCRIPT, lambda: f"{time.time_ns():x}")

    async def reads(settings: Settings) -> float:
        return await cost_of_reads(servers, documents, seconds, settings)

    return [
        Table(f"Traces: {name}", UNIT, _contenders(measure), lower_is_better=True)
        for name, measure in (("POST /v1/products", commands), ("GET /v1/products/{id} from Redis", reads))
    ]


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
