"""Sends each request when it is due, and counts what becomes of it; measures its own lateness, too."""

import asyncio
import time
from array import array
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from random import Random

from tests.load.client import Answer, NoAnswer
from tests.load.latencies import Outcomes
from tests.load.plan import COMMAND_SHARES, TOKEN_READ, Plan
from tests.load.schedule import Arrival
from tests.load.traffic import Traffic


@dataclass
class Measured:
    """One part of a run. A request counts in the part in which it was due."""

    name: str
    seconds: float
    offered: dict[str, int] = field(default_factory=dict)
    outcomes: dict[str, Outcomes] = field(default_factory=dict)
    late_seconds: "array[float]" = field(default_factory=lambda: array("d"))

    def outcomes_of(self, kind: str) -> Outcomes:
        """Those of a kind, empty at first."""
        return self.outcomes.setdefault(kind, Outcomes())


class Generator:
    """Runs schedules against the traffic. `recent` is what the live line shows; it is emptied there."""

    def __init__(self, traffic: Traffic, plan: Plan) -> None:
        self._traffic = traffic
        self._plan = plan
        self._random = Random(plan.seed + 1)
        self._tasks: set[asyncio.Task[None]] = set()
        self.recent_offered = 0
        self.recent = Outcomes()

    async def run(self, name: str, schedule: Iterable[Arrival], seconds: float) -> Measured:
        """Send everything of the schedule, then wait for the answers (each is bounded by the client)."""
        measured = Measured(name, seconds)
        self.recent_offered, self.recent = 0, Outcomes()
        started = time.monotonic()  # not the loop's time, of which uvloop has whole milliseconds only
        for arrival in schedule:
            due = started + arrival.at_seconds
            if (wait_seconds := due - time.monotonic()) > 0:
                await asyncio.sleep(wait_seconds)
            self._begin(measured, arrival.kind, due)
        await asyncio.sleep(max(0.0, started + seconds - time.monotonic()))
        while self._tasks:
            await asyncio.wait(list(self._tasks))
        return measured

    def _begin(self, measured: Measured, kind: str, due: float) -> None:
        measured.offered[kind] = measured.offered.get(kind, 0) + 1
        self.recent_offered += 1
        task = asyncio.create_task(self._request(measured, kind, due))
        self._tasks.add(task)
        task.add_done_callback(self._end)

    def _end(self, task: "asyncio.Task[None]") -> None:
        """An error of the generator itself must be seen: it goes to the loop's handler, and is counted."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.recent.fail("generator")
            task.get_loop().call_exception_handler({"message": "a request failed here", "exception": error})

    async def _request(self, measured: Measured, kind: str, due: float) -> None:
        measured.late_seconds.append(max(0.0, time.monotonic() - due))
        answer = await self._counted(measured, kind, due, self._traffic.send[kind])
        if answer is None or kind not in COMMAND_SHARES or answer.status not in (200, 201):
            return
        if self._random.random() < self._plan.token_reads:
            answered = time.monotonic()
            measured.offered[TOKEN_READ] = measured.offered.get(TOKEN_READ, 0) + 1
            self.recent_offered += 1
            await self._counted(measured, TOKEN_READ, answered, lambda: self._traffic.read_with_token(answer))

    async def _counted(
        self, measured: Measured, kind: str, due: float, send: Callable[[], Awaitable[Answer]]
    ) -> Answer | None:
        try:
            answer = await send()
        except NoAnswer as why:
            for counted in (measured.outcomes_of(kind), self.recent):
                counted.fail(str(why))
            return None
        seconds = time.monotonic() - due
        code = answer.code if answer.status >= 400 else ""
        has_retry_after = answer.header(b"retry-after") is not None
        for counted in (measured.outcomes_of(kind), self.recent):
            counted.count(answer.status, code, seconds, has_retry_after=has_retry_after)
        return answer
