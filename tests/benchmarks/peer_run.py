"""One run of one system of the suite `peers`: fresh at two rates, its cost at one, and at saturation.

The rows are looked at by SQL, for this system as for the peers, in runs of their own: these looks cost
PostgreSQL much, so that they are no part of the cost of a command.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from math import nan

from tests.benchmarks.cost_run import SETTLE_SECONDS, Cost, Meter
from tests.benchmarks.mixed_commands import MixedCommands, Outcome
from tests.benchmarks.peer_system import PeerSystem
from tests.benchmarks.read_model import Compared
from tests.benchmarks.saturation import feed

FEW, MANY = 25, 100
RATES = (FEW, MANY)
AT_MANY, SATURATION = f"{MANY}/s", "saturation"
# Slower answers than that: the system was not able to do so many commands.
ANSWER_SECONDS_MAX = 1.0

Start = Callable[[], AbstractAsyncContextManager[PeerSystem]]


@dataclass(frozen=True)
class PeerRun:
    """All figures of one run. `by_token`: what a reader with a token waits, where there are such reads.
    `compared`: after all loads up to this one.
    """

    rows: Mapping[int, Outcome]
    by_token: Mapping[int, Outcome]
    costs: Mapping[str, Cost]
    sustained_rate: float
    answered_rate: float
    behind_seconds: float
    compared: Mapping[str, Compared]

    @property
    def keeps_up(self) -> bool:
        """It answered the commands of the higher rate in time."""
        return self.rows[MANY].answered_at(50) < ANSWER_SECONDS_MAX * 1000


async def peer_run(start: Start, seconds: float) -> PeerRun:
    """Start a system, warm it up, and measure it."""
    async with start() as system:
        load, rows = MixedCommands(system.commands), system.read_model
        await load.warm_up(rate=MANY)
        await rows.until_all()
        seen = {rate: await load.run(rate, seconds, rows.see) for rate in RATES}
        read = system.read_with_token
        by_token = {rate: await load.run(rate, seconds, read) for rate in RATES} if read else {}
        await rows.until_all()
        meter = Meter(system.pids)
        outcome = await load.run(MANY, seconds)
        await asyncio.sleep(SETTLE_SECONDS)
        costs = {AT_MANY: meter.cost(outcome.commands, outcome)}
        await rows.until_all()
        compared = {AT_MANY: await rows.compared()}
        since_last = nan

        async def until_all() -> None:
            nonlocal since_last
            since_last = await rows.until_all()

        meter = Meter(system.pids)
        fed = await feed(system.url, load.products, seconds, until_all)
        costs[SATURATION] = meter.cost(fed.commands, None)
        # Commands that wrk no longer waits for may still be executed.
        await asyncio.sleep(SETTLE_SECONDS)
        await rows.until_all()
        compared[SATURATION] = await rows.compared()
        fed_seconds = fed.seconds - since_last
        behind = fed.behind_seconds - since_last
        return PeerRun(
            seen,
            by_token,
            costs,
            fed.commands / fed_seconds,
            fed.commands / (fed.seconds - fed.behind_seconds),
            behind,
            compared,
        )
