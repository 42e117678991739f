"""Once a second: applies operators' pauses and resumes to the projections, and stores their lag.

Both go through PostgreSQL and not through the process's own port, because a projection may run in several
processes and an operator means all of them.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from projector.control.ports import NEVER_PAUSED, Control, ControlBoard, PartitionLag
from projector.errors import ProjectorError
from shared.ops.concurrency.waits import every
from shared.ops.logs import get_logger
from shared.ops.metrics.dead_letters import DEAD_LETTERS, DEAD_LETTERS_SECONDS, PARKED_PRODUCTS
from shared.ops.metrics.projections import PAUSED

_TURN_SECONDS = 1.0
_log = get_logger(__name__)


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
        self._is_away = False

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. While PostgreSQL cannot be reached, the last request stays in force."""
        await every(_TURN_SECONDS, stop, self.turn)

    async def turn(self) -> None:
        """One round; never raises for an outage."""
        try:
            await self._obey()
            await self._tell()
        except ProjectorError as error:
            if not self._is_away:
                _log.warning("cannot read pause requests or store lag", error=str(error))
            self._is_away = True
        else:
            self._is_away = False

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
            await self._board.tell(projection.name, projection.topic, projection.lags())
