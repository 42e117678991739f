"""What access control costs: commands and reads with it off, with a token that the process remembers, and
with one that it checks anew for each request.

What is measured is the processor time for each request. There are no rate limits: they have their own table.
"""

import time
from collections.abc import Awaitable, Callable, Mapping

from uuid_utils.compat import uuid7

from shared.access.scopes import Scope
from tests import tokens
from tests.benchmarks import commands_http, reads_http
from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.processor_time import UNIT, cost, cost_of_reads
from tests.benchmarks.query_process import HOST
from tests.benchmarks.table import Contender, Table
from tests.benchmarks.tools import require

_ON = {
    "AUTH_ISSUER": tokens.ISSUER,
    "AUTH_PUBLIC_KEYS": tokens.public_document("first").decode(),
    "READS_PER_SECOND_MAX": "0",
    "WRITES_PER_SECOND_MAX": "0",
    "FAILED_AUTHENTICATIONS_PER_SECOND_MAX": "0",
}
# Every token is forgotten before the next request.
_FORGETFUL = {**_ON, "AUTH_VERIFIED_SECONDS_MAX": "0.000001"}
Settings = Mapping[str, str]
Measure = Callable[[Settings, str | None], Awaitable[float]]


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """Two tables."""
    require("wrk", "wrk")
    require("taskset", "util-linux")
    documents = {one: reads_http.document(one) for one in (uuid7() for _ in range(reads_http.PRODUCTS))}

    async def commands(settings: Settings, token: str | None) -> float:
        async with commands_http.serving_command_api(servers, settings) as (port, pid):
            url = f"http://{HOST}:{port}/v1/products"
            return await cost(pid, url, seconds, commands_http.SCRIPT, _name_of_run, token=token)

    async def reads(settings: Settings, token: str | None) -> float:
        return await cost_of_reads(servers, documents, seconds, settings, token=token)

    return [
        Table(f"Access control: {name}", UNIT, _contenders(measure), lower_is_better=True)
        for name, measure in (("POST /v1/products", commands), ("GET /v1/products/{id} from Redis", reads))
    ]


def _name_of_run() -> str:
    return f"{time.time_ns():x}"


def _contenders(measure: Measure) -> list[Contender]:
    token = tokens.token([Scope.PRODUCTS_READ, Scope.PRODUCTS_READ_DRAFTS, Scope.PRODUCTS_WRITE])

    async def off() -> float:
        return await measure({}, None)

    async def remembered() -> float:
        return await measure(_ON, token)

    async def checked() -> float:
        return await measure(_FORGETFUL, token)

    return [
        Contender("off", off),
        Contender("a token that is remembered", remembered),
        Contender("a token that is checked each time (RS256)", checked),
    ]
