"""Once a second: applies operators' pauses and resumes to the projections, and stores their lag.

Both go through PostgreSQL and not through the process's own port, because a projection may run in several
processes and an operator means all of them.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from projector.control.ports import NEVER_PAUSED, Control, ControlBoard, LagReport, PartitionLag
from projector.errors import ProjectorError
from shared.ops.measuring import FAILURES_MAX, unknown
from shared.ops.metrics.dead_letters import DEAD_LETTERS, DEAD_LETTERS_SECONDS, PARKED_PRODUCTS
from shared.ops.metrics.projections import PAUSED
from shared.ops.upkeep import Upkeep

_TURN_SECONDS = 1.0
_COUNTED = (PARKED_PRODUCTS, DEAD_LETTERS, DEAD_LETTERS_SECONDS)


class Controlled(Protocol):
    """A projection in this process."""

    name: str
    topic: str

    def obey(self, control: Control) -> None:
        """Pause or continue, as an operator last requested."""

    def lags(self) -> Sequence[PartitionLag]:
        """The lag of each partition that this process reads."""


class ControlLoop:
    """One for all projections of a process."""

    def __init__(self, board: ControlBoard, projections: Sequence[Controlled]) -> None:
        self._board = board
        self._projections = projections
        self._uncounted_turns = 0
        self._upkeep = Upkeep(
            "pause requests",
            self.turn,
            _TURN_SECONDS,
            is_outage=lambda error: isinstance(error, ProjectorError),
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. While PostgreSQL cannot be reached, the last request stays in force."""
        await self._upkeep.run(stop)

    async def turn(self) -> None:
        """One round. Raises `ProjectorError` for an outage; after three in a row the counts are unknown."""
        self._uncounted_turns += 1
        try:
            await self._obey()
            await self._tell()
            self._uncounted_turns = 0
        finally:
            if self._uncounted_turns >= FAILURES_MAX:
                for gauge in _COUNTED:
                    unknown(gauge.labels(projection.name) for projection in self._projections)

    async def _obey(self) -> None:
        wanted = await self._board.wanted()
        for projection in self._projections:
            control = wanted.get(projection.name, NEVER_PAUSED)
            projection.obey(control)
            PAUSED.labels(projection.name).set(control.is_paused)

    async def _tell(self) -> None:
        counts = await self._board.counts()
        for projection in self._projections:
            parked = counts.get(projection.name)
            PARKED_PRODUCTS.labels(projection.name).set(parked.products if parked else 0)
            DEAD_LETTERS.labels(projection.name).set(parked.events if parked else 0)
            DEAD_LETTERS_SECONDS.labels(projection.name).set(parked.oldest_seconds if parked else 0)
        # One statement for all: while nothing happens, this is most of what a projector asks PostgreSQL for.
        await self._board.tell([LagReport(one.name, one.topic, one.lags()) for one in self._projections])
