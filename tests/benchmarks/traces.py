"""What traces cost: commands and reads over HTTP with traces off, 1 % sampled, and all sampled.

The receiver throws the spans away, so that what is measured is the process that makes them.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from uuid_utils.compat import uuid7

from deploy.local.ports import free_port
from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.commands_http import command_api_rate
from tests.benchmarks.processes import python, running
from tests.benchmarks.reads_http import CLIENT_CORE, HOST, PRODUCTS, document, query_api_rate
from tests.benchmarks.table import Contender, Table
from tests.benchmarks.tools import require

_RATIOS = {"1 % sampled": "0.01", "all sampled": "1"}
Measure = Callable[[Mapping[str, str]], Awaitable[float]]


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """Two tables."""
    require("wrk", "wrk")
    require("taskset", "util-linux")
    documents = {product_id: document(product_id) for product_id in (uuid7() for _ in range(PRODUCTS))}

    async def commands(settings: Mapping[str, str]) -> float:
        return await command_api_rate(servers, seconds, settings)

    async def reads(settings: Mapping[str, str]) -> float:
        return await query_api_rate(servers, documents, seconds, settings)

    return [
        Table("Traces: POST /v1/products", "requests/s", _contenders(commands)),
        Table("Traces: GET /v1/products/{id} from Redis", "requests/s", _contenders(reads)),
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
