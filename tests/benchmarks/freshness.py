"""Freshness: from a command's answer to the product readable through the query API.

The whole system on this machine: command API, relay, Kafka, projector, query API. Open loop: commands start
on schedule and do not wait for answers. The read carries the answer's consistency token, so it returns when
the write is visible. The yardstick is one hop through the same broker, in the same round. The rows with a
lower rate distinguish a slow machine, on which commands wait for the processor, from a slow system.
"""

from typing import NamedTuple

from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.broker_hop import hop_milliseconds
from tests.benchmarks.checkouts import THIS, Checkout, checkout_before
from tests.benchmarks.mixed_commands import MixedCommands, Outcome, read_with_token
from tests.benchmarks.runs import Runs
from tests.benchmarks.table import Contender, Table
from tests.benchmarks.whole_system import whole_system

COMMANDS_PER_SECOND, FEW_COMMANDS_PER_SECOND = 200, 25
SECONDS_MIN = 10.0
PACED_RECORDS = 250


class Fresh(NamedTuple):
    """One round of one checkout."""

    few: Outcome
    many: Outcome


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """One table; the first row is the yardstick."""

    async def hop() -> float:
        return await hop_milliseconds(servers)

    async def paced_hop() -> float:
        pause_seconds = 1 / FEW_COMMANDS_PER_SECOND
        return await hop_milliseconds(servers, records=PACED_RECORDS, pause_seconds=pause_seconds)

    now = Runs(lambda: fresh(servers, THIS, max(SECONDS_MIN, seconds)))
    contenders = [
        Contender("one hop through the broker, p50", hop),
        Contender(f"one hop, {FEW_COMMANDS_PER_SECOND} records/s, p50", paced_hop),
        Contender(
            f"{FEW_COMMANDS_PER_SECOND}/s, p50", now.figure(lambda run: run.few.taken().visible_at(50)), 4
        ),
        Contender(
            f"{COMMANDS_PER_SECOND}/s, p50", now.figure(lambda run: run.many.taken().visible_at(50)), 8
        ),
        Contender(
            f"{COMMANDS_PER_SECOND}/s, p99", now.figure(lambda run: run.many.taken().visible_at(99)), 30
        ),
        Contender(
            f"{FEW_COMMANDS_PER_SECOND}/s, p99", now.figure(lambda run: run.few.taken().visible_at(99))
        ),
    ]
    before = checkout_before()
    if before is not None:
        contenders += _without_targets(servers, before, max(SECONDS_MIN, seconds))
    title = "Freshness, from the answer to readable with its token"
    return [Table(title, "ms", contenders, lower_is_better=True)]


async def fresh(servers: BenchServers, checkout: Checkout, seconds: float) -> Fresh:
    """One run of the system: warm-up, the low rate, the high rate."""
    async with whole_system(servers, checkout) as system:
        load, see = MixedCommands(system.commands), read_with_token(system.queries)
        await load.warm_up(see)
        few = await load.run(FEW_COMMANDS_PER_SECOND, seconds, see)
        many = await load.run(COMMANDS_PER_SECOND, seconds, see)
        return Fresh(few, many)


def _without_targets(servers: BenchServers, checkout: Checkout, seconds: float) -> list[Contender]:
    runs = Runs(lambda: fresh(servers, checkout, seconds))
    few, many = f"{FEW_COMMANDS_PER_SECOND}/s", f"{COMMANDS_PER_SECOND}/s"
    return [
        Contender(f"{checkout.name}: {few}, p50", runs.figure(lambda run: run.few.taken().visible_at(50))),
        Contender(f"{checkout.name}: {many}, p50", runs.figure(lambda run: run.many.taken().visible_at(50))),
        Contender(f"{checkout.name}: {many}, p99", runs.figure(lambda run: run.many.taken().visible_at(99))),
    ]
