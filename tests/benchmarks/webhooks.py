"""Webhooks: deliveries a second, and what httpx alone can post to the same receiver.

Sender on core 0, receiver on core 1; PostgreSQL, which only our sender needs, wherever it is. The events are
in the log before the sender starts.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import asyncpg
import httpx

from deploy.local.ports import HOST, free_port
from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.process_usage import own_seconds
from tests.benchmarks.processes import python, running
from tests.benchmarks.runs import Runs
from tests.benchmarks.table import Contender, Table
from tests.integration.event_store_world import insert_events
from tests.integration.webhook_delivery_world import SECRET_KEY, WebhookWorld
from tests.past_events import created, past_events
from tests.servers import DatabaseDsns

AT_A_TIME = 16
_SENDER_CORE, _RECEIVER_CORE = 0, 1
# About what ours delivers in a second.
_MESSAGES_PER_SECOND = 1_000
_WAIT_SECONDS_MAX = 120.0


class Posted(NamedTuple):
    """One run."""

    rate: float
    processor_microseconds: float


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """One table; the first row is the yardstick."""
    messages = round(seconds * _MESSAGES_PER_SECOND)
    ours = Runs(lambda: delivered(servers, messages))

    def below() -> list[str]:
        made = ", ".join(f"{run.processor_microseconds:,.0f} µs" for run in ours.made)
        return [f"Processor time of the projector for each delivered message: {made}"]

    contenders = [
        Contender(f"httpx, {AT_A_TIME} posts at a time", lambda: posted(messages)),
        Contender("webhooks, one endpoint", ours.figure(lambda run: run.rate), 0.5),
    ]
    return [Table("Webhooks: posts to one receiver", "posts/s", contenders, below=below)]


async def posted(messages: int) -> float:
    """By httpx."""
    async with _sink() as url:
        sender = python("-m", "tests.benchmarks.webhook_poster", url, str(messages), str(AT_A_TIME))
        process = await asyncio.create_subprocess_exec("taskset", "-c", str(_SENDER_CORE), *sender)
        if await process.wait() != 0:
            raise RuntimeError("httpx could not post")
        return await _rate(url, messages)


async def delivered(servers: BenchServers, messages: int) -> Posted:
    """By our projector, each of another product."""
    event_store, read_model = await servers.event_store(), await servers.read_model()
    async with _sink() as url:
        await _fill(event_store, read_model, url, messages)
        ops_port = free_port()
        environment = {
            "EVENT_STORE_READ_DSN": event_store.log_reader,
            "READ_MODEL_DSN": read_model.projector,
            "REDIS_URL": servers.redis.url(0),
            "KAFKA_BOOTSTRAP_SERVERS": servers.kafka.bootstrap_servers,
            "PROJECTOR_OPS_PORT": str(ops_port),
            "WEBHOOK_SECRET_KEY": SECRET_KEY,
            "WEBHOOK_NETWORKS_ALLOWED": "127.0.0.0/8",
            "WEBHOOK_ATTEMPTS_PER_ENDPOINT_MAX": str(AT_A_TIME),
        }
        argv = python("-m", "projector", "run", "webhooks")
        ready = f"http://{HOST}:{ops_port}/livez"
        async with running(*argv, ready_url=ready, environment=environment, core=_SENDER_CORE) as process:
            before = own_seconds(process.pid)
            rate = await _rate(url, messages)
            return Posted(rate, 1e6 * (own_seconds(process.pid) - before) / messages)


async def _fill(event_store: DatabaseDsns, read_model: DatabaseDsns, url: str, messages: int) -> None:
    log = await asyncpg.connect(event_store.owner)
    try:
        world = WebhookWorld(event_store, read_model)
        world.log = log
        await world.register(url)
        events = [past_events(created())[0] for _ in range(messages)]
        await insert_events(log, events)
    finally:
        await log.close()


@asynccontextmanager
async def _sink() -> AsyncIterator[str]:
    url = f"http://{HOST}:{free_port()}/"
    port = url.rsplit(":", 1)[1].strip("/")
    argv = python("-m", "tests.benchmarks.webhook_sink", port)
    async with running(*argv, ready_url=url, environment=dict(os.environ), core=_RECEIVER_CORE):
        yield url


async def _rate(url: str, messages: int) -> float:
    """When all have come."""
    async with httpx.AsyncClient(timeout=30) as client, asyncio.timeout(_WAIT_SECONDS_MAX):
        while True:
            posts, seconds = (await client.get(url)).text.split()
            if int(posts) >= messages:
                return (int(posts) - 1) / float(seconds)
            await asyncio.sleep(0.2)
