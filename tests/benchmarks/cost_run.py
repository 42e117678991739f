"""One run of the whole system for the suite `cost`: idle, at three rates, and at saturation.

Processor time is that of all threads and children of each part, of the servers of this run alone. The load
generator and the mail server are not counted.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.checkouts import Checkout
from tests.benchmarks.mixed_commands import MixedCommands, Outcome, read_with_token
from tests.benchmarks.process_usage import (
    busy_seconds,
    memory_mebibytes,
    own_seconds,
    processor_seconds,
    spent,
)
from tests.benchmarks.saturation import feed, until_applied
from tests.benchmarks.whole_system import BROKER, NAMES, System, whole_system

REST_SECONDS, IDLE_SECONDS = 5, 20
# What no reader waits for is applied within this time after the last command.
SETTLE_SECONDS = 1
# The end of catching up is known to a second, because projections report their lag once a second.
SATURATION_SECONDS_MIN = 20.0
OURS_AND_BROKER = (*NAMES.values(), BROKER)


@dataclass(frozen=True)
class Cost:
    """Of a command, in milliseconds of processor time by part; and what callers saw, where that is known.

    `other_cores`: what the machine did meanwhile that was neither the system nor its load. On cores that are
    shared with other work a rate is lower, and a command costs more.
    """

    by_part: Mapping[str, float]
    other_cores: float
    outcome: Outcome | None = None

    @property
    def total(self) -> float:
        """All parts together."""
        return sum(self.by_part.values())

    def of_taken_commands(self) -> float:
        """All parts together. Raises RuntimeError if many commands were refused."""
        if self.outcome is not None:
            self.outcome.taken()
        return self.total


@dataclass(frozen=True)
class CostRun:
    """All figures of one run."""

    idle_percent: Mapping[str, float]
    memory_mebibytes: Mapping[str, float]
    by_load: Mapping[str, Cost]
    sustained_rate: float
    behind_seconds: float

    @property
    def idle_total(self) -> float:
        """Our processes and the broker, in percent of a core."""
        return sum(self.idle_percent[name] for name in OURS_AND_BROKER)


@dataclass(frozen=True)
class OpenLoop:
    """A load with a rate of its own."""

    rate: int
    with_reads: bool

    @property
    def name(self) -> str:
        """As the tables show it."""
        return f"{self.rate}/s" if self.with_reads else f"{self.rate}/s, no reads"


MANY = OpenLoop(200, with_reads=True)
OPEN_LOOPS = (OpenLoop(25, with_reads=True), MANY, OpenLoop(400, with_reads=False))
SATURATION = "saturation"


async def cost_run(servers: BenchServers, checkout: Checkout, seconds: float) -> CostRun:
    """Start a checkout's system, warm it up, and measure it."""
    async with whole_system(servers, checkout) as system:
        load = MixedCommands(system.commands)
        await load.warm_up(read_with_token(system.queries))
        await asyncio.sleep(REST_SECONDS)
        idle, memory = await _idle_percent(system), memory_mebibytes(system.pids)
        by_load = {each.name: await _open_loop(system, load, each, seconds) for each in OPEN_LOOPS}
        meter = Meter(system.pids)
        fed = await feed(
            system.command_url,
            load.products,
            max(SATURATION_SECONDS_MIN, seconds),
            lambda: until_applied(system),
        )
        by_load[SATURATION] = meter.cost(fed.commands, None)
        return CostRun(idle, memory, by_load, fed.commands / fed.seconds, fed.behind_seconds)


async def _idle_percent(system: System) -> dict[str, float]:
    before, started = processor_seconds(system.pids), time.perf_counter()
    await asyncio.sleep(IDLE_SECONDS)
    used = spent(before, processor_seconds(system.pids))
    passed = time.perf_counter() - started
    return {name: 100 * seconds / passed for name, seconds in used.items()}


async def _open_loop(system: System, load: MixedCommands, kind: OpenLoop, seconds: float) -> Cost:
    meter = Meter(system.pids)
    see = read_with_token(system.queries) if kind.with_reads else None
    outcome = await load.run(kind.rate, seconds, see)
    await asyncio.sleep(SETTLE_SECONDS)
    return meter.cost(outcome.commands, outcome)


class Meter:
    """Reads the accounts of all parts when it is made, and again when it is asked for the cost."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = pids
        self._parts, self._busy, self._own = processor_seconds(pids), busy_seconds(), own_seconds()
        self._started = time.perf_counter()

    def cost(self, commands: int, outcome: Outcome | None) -> Cost:
        """Of each of so many commands since then."""
        used = spent(self._parts, processor_seconds(self._pids))
        others = busy_seconds() - self._busy - (own_seconds() - self._own) - sum(used.values())
        passed = time.perf_counter() - self._started
        by_part = {name: seconds * 1000 / max(1, commands) for name, seconds in used.items()}
        return Cost(by_part, max(0.0, others / passed), outcome)
