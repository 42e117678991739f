"""Freshness: from a command's answer to the product readable through the query API, at 200 commands/s.

The whole system on this machine: command API, relay, Kafka, projector, query API. Open loop: commands start
on schedule and do not wait for answers. The read carries the answer's consistency token, so it returns when
the write is visible. The row with a lower rate distinguishes a slow machine, on which commands wait for the
processor, from a slow system.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from statistics import quantiles
from typing import NamedTuple

from deploy.local.ports import free_port
from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.light_client import LightClient
from tests.benchmarks.processes import python, running
from tests.benchmarks.table import Contender, Table

COMMANDS_PER_SECOND, FEW_COMMANDS_PER_SECOND = 200, 25
# During this time the broker's Java code is compiled.
WARM_UP_SECONDS = 15
HOST = "127.0.0.1"
P50_MILLISECONDS, P99_MILLISECONDS = 20.0, 100.0


class System(NamedTuple):
    """The running system's two APIs."""

    commands: LightClient
    queries: LightClient


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """Absolute milliseconds; the first row is the bound, so that each ratio must stay below 1."""
    p99s: dict[int, list[float]] = {FEW_COMMANDS_PER_SECOND: [], COMMANDS_PER_SECOND: []}

    async def bound(milliseconds: float) -> float:
        return milliseconds

    async def p50(rate: int) -> float:
        cuts = quantiles(await visible_milliseconds(servers, rate, max(10.0, seconds)), n=100)
        p99s[rate].append(cuts[98])
        return cuts[49]

    async def p99(rate: int) -> float:
        if not p99s[rate]:
            raise RuntimeError("see the p50 of this rate")
        return p99s[rate].pop(0)

    return [
        Table(
            f"Freshness, from the answer to readable: {name}",
            "ms",
            [
                Contender("bound", partial(bound, milliseconds)),
                Contender(f"{FEW_COMMANDS_PER_SECOND} commands/s", partial(measure, FEW_COMMANDS_PER_SECOND)),
                Contender(f"{COMMANDS_PER_SECOND} commands/s", partial(measure, COMMANDS_PER_SECOND), 1.0),
            ],
            lower_is_better=True,
        )
        for name, milliseconds, measure in (("p50", P50_MILLISECONDS, p50), ("p99", P99_MILLISECONDS, p99))
    ]


async def visible_milliseconds(servers: BenchServers, rate: int, seconds: float) -> list[float]:
    """One latency a command, after the warm-up."""
    async with whole_system(servers) as system:
        products: list[str] = []
        latencies: list[float] = []
        started = time.perf_counter()
        async with asyncio.TaskGroup() as commands:
            for number in range(round((WARM_UP_SECONDS + seconds) * rate)):
                await asyncio.sleep(max(0.0, started + number / rate - time.perf_counter()))
                commands.create_task(_command(system, number, products, latencies))
    return latencies[WARM_UP_SECONDS * rate :]


async def _command(system: System, number: int, products: list[str], latencies: list[float]) -> None:
    if number % 5 == 0 or not products:
        variant = {"sku": f"OBS-{number}", "price": {"amount": "50.00", "currency": "USD"}}
        product = {"name": f"Ocean Blue Shirt {number}", "variants": [variant]}
        answer = await system.commands.request("POST", "/v1/products", body=product)
        products.append(answer.json()["id"])
    else:
        path = f"/v1/products/{random.choice(products)}"
        answer = await system.commands.request("PATCH", path, body={"description": f"Number {number}"})
    answered = time.perf_counter()
    headers = {"Consistency-Token": answer.headers["consistency-token"], "Prefer": "wait=10"}
    read = await system.queries.request("GET", f"/v1/products/{answer.json()['id']}", headers)
    if read.json()["version"] < answer.json()["version"]:
        raise RuntimeError("the read showed an older version than its token")
    latencies.append((time.perf_counter() - answered) * 1000)


@asynccontextmanager
async def whole_system(servers: BenchServers) -> AsyncIterator[System]:
    """All four processes over fresh databases, topics and an empty cache."""
    log, view = await servers.event_store(), await servers.read_model()
    names = (
        "COMMAND_PORT",
        "COMMAND_OPS_PORT",
        "QUERY_PORT",
        "QUERY_OPS_PORT",
        "PROJECTOR_OPS_PORT",
        "RELAY_OPS_PORT",
    )
    ports = {name: str(free_port()) for name in names}
    common = {
        **ports,
        "EVENT_STORE_DSN": log.writer,
        "EVENT_STORE_READ_DSN": log.log_reader,
        "REDIS_URL": servers.redis.url(1),
        "REDIS_KEY_PREFIX": f"bench-{time.time_ns():x}",
        "KAFKA_BOOTSTRAP_SERVERS": servers.kafka.bootstrap_servers,
        "KAFKA_TOPIC_PREFIX": f"bench-{time.time_ns():x}-",
    }
    parts = (
        ("command_api", "serve", "COMMAND_OPS_PORT", view.reader),
        ("command_api", "relay", "RELAY_OPS_PORT", view.reader),
        ("projector", "run", "PROJECTOR_OPS_PORT", view.projector),
        ("query_api", "serve", "QUERY_OPS_PORT", view.reader),
    )
    async with AsyncExitStack() as stack:
        for package, command, ops_port, read_model in parts:
            ready = f"http://{HOST}:{ports[ops_port]}/readyz"
            environment = {**common, "READ_MODEL_DSN": read_model}
            argv = python("-m", package, command)
            await stack.enter_async_context(running(*argv, ready_url=ready, environment=environment))
        clients = System(*(LightClient(HOST, int(ports[name])) for name in ("COMMAND_PORT", "QUERY_PORT")))
        for client in clients:
            stack.callback(client.close)
        yield clients
