"""A whole run: make products, warm up, measure the cost of commands and of reads apart, then the mix."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from deploy.local.settings import StackSettings
from shared.ops.concurrency.waits import cancelled
from shared.ops.secret import NO_SECRET, Secret
from tests.load.client import Client
from tests.load.generator import Generator, Measured
from tests.load.live import show
from tests.load.plan import COMMAND_SHARES, READ_SHARES, Plan
from tests.load.processes import find_processes
from tests.load.report import Part
from tests.load.sampler import Sampler
from tests.load.schedule import arrivals
from tests.load.traffic import Traffic

_PORTS = {
    "command-api": "COMMAND_OPS_PORT", "query-api": "QUERY_OPS_PORT", "projector": "PROJECTOR_OPS_PORT",
    "relay": "RELAY_OPS_PORT", "postgresql": "POSTGRES_PORT", "redis": "REDIS_PORT", "kafka": "KAFKA_PORT",
}  # fmt: skip


@dataclass(frozen=True)
class Target:
    """The system under load. `ports` find its processes on this machine; `logs` is their folder."""

    command_url: str
    query_url: str
    ports: Mapping[str, int]
    logs: Path
    token: Secret = NO_SECRET


@dataclass(frozen=True)
class Lengths:
    """Seconds of the parts before and after the mix; 0: no such part.

    `cost_seconds` is for commands alone and for reads alone, each. During `recovery_seconds` after the mix,
    the load is a tenth: it shows how soon latency and lag are as before.
    """

    warm_up_seconds: float = 5.0
    cost_seconds: float = 0.0
    recovery_seconds: float = 0.0
    sample_seconds: float = 5.0


def local_target(settings: StackSettings, token: Secret = NO_SECRET) -> Target:
    """`make up` of this directory."""
    return Target(
        f"http://127.0.0.1:{settings.ports['COMMAND_PORT']}",
        f"http://127.0.0.1:{settings.ports['QUERY_PORT']}",
        {name: settings.ports[setting] for name, setting in _PORTS.items()},
        settings.logs,
        token,
    )


async def run(
    target: Target, plan: Plan, lengths: Lengths, *, is_quiet: bool = False
) -> tuple[list[Part], list[str]]:
    """The measured parts, and the names of the processes that were not found."""
    processes = find_processes(target.ports)
    async with _clients(target, plan) as (commands, queries, status):
        traffic = Traffic(commands, queries, plan)
        await traffic.make_products(plan.products)
        generator = Generator(traffic, plan)
        sampler = Sampler(status, processes, target.logs, lengths.sample_seconds)
        each = [
            part
            for name, rates, seconds in _parts(plan, lengths)
            if rates and seconds > 0
            for part in [await _measure(name, rates, seconds, plan, generator, sampler, is_quiet=is_quiet)]
        ]
    return [part for part in each if part.measured.name != "warm-up"], processes.missing


def _parts(plan: Plan, lengths: Lengths) -> list[tuple[str, Mapping[str, float], float]]:
    commands = {kind: rate for kind, rate in plan.rates.items() if kind in COMMAND_SHARES}
    reads = {kind: rate for kind, rate in plan.rates.items() if kind in READ_SHARES}
    little = {kind: rate / 10 for kind, rate in plan.rates.items()}
    return [
        ("warm-up", plan.rates, lengths.warm_up_seconds),
        ("commands alone", commands, lengths.cost_seconds),
        ("reads alone", reads, lengths.cost_seconds),
        ("mix", plan.rates, plan.seconds),
        ("recovery", little, lengths.recovery_seconds),
    ]


async def _measure(
    name: str, rates: Mapping[str, float], seconds: float, plan: Plan, generator: Generator, sampler: Sampler,
    *, is_quiet: bool,
) -> Part:  # fmt: skip
    first = len(sampler.samples)
    await sampler.take()
    sampler.start()
    shown = [] if is_quiet else [asyncio.create_task(show(name, generator, sampler))]
    try:
        schedule = arrivals(rates, seconds, Random(f"{plan.seed} {name}"))
        measured: Measured = await generator.run(name, schedule, seconds)
    finally:
        await cancelled(*shown)
        await sampler.stop()
    await sampler.take()
    return Part(measured, sampler.samples[first:])


@asynccontextmanager
async def _clients(target: Target, plan: Plan) -> AsyncIterator[tuple[Client, Client, Client]]:
    """The status is asked over a connection of its own, so that it is not behind other requests."""
    urls = (target.command_url, target.query_url, target.query_url)
    clients = [
        Client(
            url, connections_max=plan.connections_max, seconds_max=plan.answer_seconds_max, token=target.token
        )
        for url in urls
    ]
    try:
        yield clients[0], clients[1], clients[2]
    finally:
        for client in clients:
            client.close()
