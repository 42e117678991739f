"""Clients at the same time on real connections: nobody decides who goes first, and calls are cut.

Only the end can be checked. The order by position says whether any name had two holders at any moment.
"""

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Any

from command_api.postgres.writer_connection import CONNECTION_ERRORS
from shared.postgres.errors import is_unavailable
from tests.servers import DatabaseDsns
from tests.sharding import operations as o
from tests.sharding.checker import broken_histories, holders_now, lost_names, shared_names, wrong_answers
from tests.sharding.faults import Faults
from tests.sharding.postgres.shards import PostgresShards, end_sessions
from tests.sharding.protocol import client
from tests.sharding.reports import Report
from tests.sharding.settling import Process, sweep
from tests.sharding.workload import next_command

RUNS_PER_COMMAND = 3
CUT_PERCENT, CRASH_PERCENT = 4, 1
CUT_AFTER_SECONDS_MAX = 0.004
SWEEPS_MAX = 3


class Storm:
    """`clients` send `commands_each` commands one after the other; a sweeper runs all the time."""

    def __init__(
        self,
        dsns: Sequence[DatabaseDsns],
        seed: int,
        *,
        clients: int,
        commands_each: int,
        faults: Faults = Faults.NONE,
    ) -> None:
        self._dsns, self._seed, self._faults = dsns, seed, faults
        self._clients, self._commands_each = clients, commands_each
        self._unnumbered = iter(range(clients * commands_each))
        self.report = Report(seed)
        self.is_over = asyncio.Event()

    async def run(self) -> Report:
        """Until all clients have sent what they have; then the sweeper alone, and the checks."""
        sweeper = asyncio.create_task(self._sweep())
        await asyncio.gather(*(self._client(Random(self._seed + number)) for number in range(self._clients)))
        self.is_over.set()
        await sweeper
        for dsns in self._dsns:
            # What a cut connection has begun has ended now.
            await end_sessions(dsns.writer)
        shards = PostgresShards(self._dsns)
        try:
            await self._check(shards)
        finally:
            await shards.close()
        return self.report

    async def _client(self, random: Random) -> None:
        shards = PostgresShards(self._dsns)
        try:
            for _ in range(self._commands_each):
                holders = holders_now(await self._log(shards))
                command = next_command(random, next(self._unnumbered), holders)
                await self._run(shards, client(command, self._faults, RUNS_PER_COMMAND), random)
        finally:
            await shards.close()

    async def _log(self, shards: PostgresShards) -> Any:
        while True:
            try:
                return await shards.log()
            except (OSError, *CONNECTION_ERRORS) as error:
                if not is_unavailable(error):
                    raise
                await asyncio.sleep(0.05)

    async def _sweep(self) -> None:
        random = Random(self._seed - 1)
        shards = PostgresShards(self._dsns)
        try:
            while not self.is_over.is_set():
                await self._run(shards, sweep(self._faults), random)
        finally:
            await shards.close()

    async def _run(self, shards: PostgresShards, process: Process, random: Random) -> None:
        result: Any = None
        is_lost = False
        while True:
            try:
                operation = process.throw(o.Lost()) if is_lost else process.send(result)
            except (StopIteration, o.Lost):
                return
            result, is_lost = None, False
            if isinstance(operation, o.Answered):
                self.report.answers[operation.key] = operation.answer, operation.about
                self.report.count(f"answered {operation.answer}")
            elif random.randrange(100) < CRASH_PERCENT:
                self.report.count("crashed")
                process.close()
                return
            else:
                try:
                    result = await self._call(shards, operation, random)
                except o.Lost:
                    is_lost = True

    async def _call(self, shards: PostgresShards, call: o.Call, random: Random) -> Any:
        """Raises `Lost`: the connection was cut, by this client or by the server."""
        running = asyncio.ensure_future(shards.execute(call))
        is_cut = random.randrange(100) < CUT_PERCENT
        await asyncio.wait({running}, timeout=random.random() * CUT_AFTER_SECONDS_MAX if is_cut else None)
        if not running.done():
            self.report.count("cut")
            await shards.drop(o.shard_of(call))
        try:
            result = await running
        except (OSError, *CONNECTION_ERRORS) as error:
            if not is_cut and not is_unavailable(error):
                raise
            self.report.count("lost")
            await shards.drop(o.shard_of(call))
            raise o.Lost from error
        self.report.count(
            type(call).__name__ + (f" {result.reason}" if isinstance(result, o.Refused) else "")
        )
        return result

    async def _check(self, shards: PostgresShards) -> None:
        for _ in range(SWEEPS_MAX):
            await self._run_to_the_end(shards, sweep(Faults.NONE))
        found = await shards.log()
        owners = {each.product_id: o.shard_of_product(each.product_id) for each in found}
        open_claims = [
            claim for at in range(o.SHARDS) for claim, _ in await shards.execute(o.ReadOpenClaims(at))
        ]
        answers = [(key, answer) for key, (answer, _) in self.report.answers.items()]
        self.report.violations += broken_histories(found, owners) + shared_names(found)
        self.report.violations += lost_names(holders_now(found), await shards.names(), open_claims)
        self.report.violations += wrong_answers(answers, found)

    async def _run_to_the_end(self, shards: PostgresShards, process: Process) -> None:
        result: Any = None
        while True:
            try:
                operation = process.send(result)
            except StopIteration:
                return
            assert not isinstance(operation, o.Answered)
            result = await shards.execute(operation)
