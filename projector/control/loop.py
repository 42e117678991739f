"""Once a second: do what operators want of the projections, and keep what these tell of themselves.

Over PostgreSQL, not over the process's own port, because a projection may run in several processes and an
operator means all of them.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from prometheus_client import Gauge

from projector.applying.ports import Control
from projector.control.ports import ControlBoard, PartitionLag
from projector.errors import ProjectorError
from shared.ops.concurrency.waits import every
from shared.ops.logs import get_logger

PAUSED = Gauge("projection_paused", "1 while an operator keeps the projection paused.", ["projection"])
PARKED_PRODUCTS = Gauge("projection_parked_products", "Products of which an event is parked.", ["projection"])
PARKED_EVENTS = Gauge("projection_parked_events", "Parked records.", ["projection"])
PARKED_SECONDS = Gauge(
    "projection_parked_oldest_seconds", "Age of the oldest parked record; 0 without any.", ["projection"]
)
_TURN_SECONDS = 1.0
_NOTHING_WANTED = Control(is_paused=False, revision=0)
_log = get_logger(__name__)


class Controlled(Protocol):
    """A projection in this process."""

    name: str
    topic: str

    def obey(self, control: Control) -> None:
        """What an operator wants of it now."""

    def lags(self) -> Sequence[PartitionLag]:
        """Of the partitions that it has."""


class ControlLoop:
    """For all projections of a process."""

    def __init__(self, board: ControlBoard, projections: Sequence[Controlled]) -> None:
        self._board = board
        self._projections = projections
        self._is_away = False

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. While PostgreSQL is away, what was wanted last is what is done."""
        await every(_TURN_SECONDS, stop, self.turn)

    async def turn(self) -> None:
        """One round; never raises for an outage."""
        try:
            await self._obey()
            await self._tell()
        except ProjectorError as error:
            if not self._is_away:
                _log.warning("control is away", error=str(error))
            self._is_away = True
        else:
            self._is_away = False

    async def _obey(self) -> None:
        wanted = await self._board.wanted()
        for projection in self._projections:
            control = wanted.get(projection.name, _NOTHING_WANTED)
            projection.obey(control)
            PAUSED.labels(projection.name).set(control.is_paused)

    async def _tell(self) -> None:
        counts = await self._board.counts()
        for projection in self._projections:
            parked = counts.get(projection.name)
            PARKED_PRODUCTS.labels(projection.name).set(parked.products if parked else 0)
            PARKED_EVENTS.labels(projection.name).set(parked.events if parked else 0)
            PARKED_SECONDS.labels(projection.name).set(parked.oldest_seconds if parked else 0)
            await self._board.tell(projection.name, projection.topic, projection.lags())
