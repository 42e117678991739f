"""A seeded simulation: clients, sweepers and faults, one step after the other, over any shards.

The seed decides everything: which process goes on, what is lost, who crashes or pauses. So a run that finds a
violation can be run again, in memory or on PostgreSQL.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol
from uuid import UUID

from tests.sharding import operations as o
from tests.sharding.checker import (
    Found,
    broken_histories,
    holders_now,
    lost_names,
    shared_names,
    wrong_answers,
)
from tests.sharding.commands import UPSERT_KEYS, Command, Kind
from tests.sharding.faults import Faults
from tests.sharding.protocol import client
from tests.sharding.reports import Chances, Report, without_position
from tests.sharding.settling import Process, sweep
from tests.sharding.workload import KINDS, next_command

RUNS_PER_COMMAND = 3
CLIENTS = 4
SWEEPS_MAX = 3


class ShardsUnderTest(Protocol):
    """The adapters of the simulation."""

    async def execute(self, call: o.Call) -> Any:
        """Its result."""

    async def execute_without_answer(self, call: o.Call) -> None:
        """It commits; nobody hears of it."""

    async def end_during(self, call: o.Call) -> None:
        """It is rolled back."""

    async def log(self) -> list[Found]:
        """All events of all shards."""

    async def names(self) -> Mapping[str, tuple[UUID, bool]]:
        """All rows of names: the product, and whether it is held."""


@dataclass(slots=True)
class _Running:
    process: Process
    command: Command | None
    began: int
    wakes: int = 0
    result: Any = None
    is_lost: bool = False


class Simulation:
    """One run. `at_step` may break a server: it is called with the number of each step."""

    def __init__(
        self,
        shards: ShardsUnderTest,
        seed: int,
        *,
        faults: Faults = Faults.NONE,
        chances: Chances | None = None,
        commands_max: int = 40,
        kinds: Sequence[Kind] = KINDS,
        at_step: Callable[[int], Awaitable[None]] | None = None,
    ) -> None:
        self._shards, self._faults, self._chances = shards, faults, chances or Chances()
        self._random = Random(seed)
        self._kinds = kinds
        self._at_step = at_step
        self._unsent = commands_max
        self._running: list[_Running] = []
        self._late: list[o.Call] = []
        self._holders: list[tuple[int, dict[str, list[UUID]]]] = [(0, {})]
        self._step = 0
        self.report = Report(seed)

    async def run(self) -> Report:
        """Until all commands have an answer or a crashed client; then the sweeper, and the last checks."""
        while (self._unsent or self._running) and not self.report.violations:
            self._step += 1
            if self._at_step is not None:
                await self._at_step(self._step)
            self._begin()
            await self._advance()
        while self._late and not self.report.violations:
            await self._deliver_late()
        if not self.report.violations:
            await self._check_end()
        return self.report

    def _begin(self) -> None:
        clients = sum(each.command is not None for each in self._running)
        if clients < CLIENTS and self._unsent:
            is_planted = Faults.THE_KEY_OF_AN_UPSERT_IS_NO_NAME in self._faults
            command = next_command(
                self._random,
                self._unsent,
                self._holders[-1][1],
                kinds=self._kinds,
                upsert_keys="plain-" if is_planted else UPSERT_KEYS,
            )
            self._unsent -= 1
            process = client(command, self._faults, RUNS_PER_COMMAND)
            self._running.append(_Running(process, command, self._step))
        if self._random.randrange(100) < self._chances.sweeper_percent:
            self._running.append(_Running(sweep(self._faults), None, self._step))

    async def _advance(self) -> None:
        if self._late and self._random.randrange(8) == 0:
            await self._deliver_late()
            return
        awake = [each for each in self._running if each.wakes <= self._step]
        if not awake:
            return
        one = self._random.choice(awake)
        chance = self._random.randrange(100)
        if chance < self._chances.crash_percent:
            self._end(one, "crashed")
            return
        if chance < self._chances.crash_percent + self._chances.pause_percent:
            one.wakes = self._step + self._random.randrange(self._chances.pause_steps_max)
            self.report.count("paused")
            return
        await self._go_on(one)

    async def _go_on(self, one: _Running) -> None:
        try:
            operation = one.process.throw(o.Lost()) if one.is_lost else one.process.send(one.result)
        except (StopIteration, o.Lost):
            self._end(one, "ended")
            return
        one.result, one.is_lost = None, False
        if isinstance(operation, o.Answered):
            self._answered(one, operation)
        elif self._random.randrange(100) < self._chances.lost_percent:
            await self._lose(operation)
            one.is_lost = True
        else:
            one.result = await self._shards.execute(operation)
            await self._executed(operation, one.result)

    async def _lose(self, call: o.Call) -> None:
        how = self._random.choice(["never executed", "rolled back", "answer lost", "late"])
        self.report.count(how)
        self.report.trace.append(f"{without_position(call)} {how}")
        if how == "late":
            self._late.append(call)
        elif how == "rolled back":
            await self._shards.end_during(call)
        elif how == "answer lost":
            await self._shards.execute_without_answer(call)
            await self._check_log(call)

    async def _deliver_late(self) -> None:
        call = self._late.pop(self._random.randrange(len(self._late)))
        await self._executed(call, await self._shards.execute(call))

    async def _executed(self, call: o.Call, result: Any) -> None:
        self.report.count(
            type(call).__name__ + (f" {result.reason}" if isinstance(result, o.Refused) else "")
        )
        self.report.trace.append(f"{without_position(call)} -> {without_position(result)}")
        await self._check_log(call)

    async def _check_log(self, call: o.Call) -> None:
        """After each append: no name has two holders, now or at any moment of the order by position."""
        if not isinstance(call, o.Append):
            return
        found = await self._shards.log()
        holders = holders_now(found)
        self._holders.append((self._step, holders))
        doubles = [
            f"{name} is held by {len(held)} products" for name, held in holders.items() if len(held) > 1
        ]
        owners = {each.product_id: o.shard_of_product(each.product_id) for each in found}
        self.report.violations += [*doubles, *shared_names(found), *broken_histories(found, owners)]

    def _answered(self, one: _Running, answered: o.Answered) -> None:
        assert one.command is not None
        self.report.answers[answered.key] = answered.answer, answered.about
        self.report.count(f"answered {answered.answer}")
        if answered.answer == "taken" and not self._was_taken(one, answered.about):
            self.report.violations.append(f"{answered.key}: {answered.about} was called taken, and was free")

    def _was_taken(self, one: _Running, name: str) -> bool:
        """Whether another product held it at any moment since the command was sent."""
        assert one.command is not None
        since = max(at for at, _ in self._holders if at <= one.began)
        own = one.command.product_ids
        return any(set(held.get(name, ())) - set(own) for at, held in self._holders if at >= since)

    def _end(self, one: _Running, how: str) -> None:
        one.process.close()
        self._running.remove(one)
        self.report.count(how)

    async def _check_end(self) -> None:
        for _ in range(SWEEPS_MAX):
            await self._run_alone(sweep(self._faults))
        found = await self._shards.log()
        open_claims = [
            claim
            for shard in range(o.SHARDS)
            for claim, _ in await self._shards.execute(o.ReadOpenClaims(shard))
        ]
        answers = [(key, answer) for key, (answer, _) in self.report.answers.items()]
        self.report.violations += lost_names(holders_now(found), await self._shards.names(), open_claims)
        self.report.violations += wrong_answers(answers, found)

    async def _run_alone(self, process: Process) -> None:
        result: Any = None
        while True:
            try:
                operation = process.send(result)
            except StopIteration:
                return
            assert not isinstance(operation, o.Answered)
            result = await self._shards.execute(operation)
