"""The control loop: no error ends it, and counts that cannot be read are unknown and no old numbers."""

import asyncio
import math
from collections.abc import Mapping, Sequence

from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from projector.control.loop import ControlLoop
from projector.control.ports import Control, ParkedCount, PartitionLag
from projector.errors import Unavailable
from tests.eventually import eventually
from tests.in_memory.control import InMemoryControlBoard
from tests.in_memory.read_model import InMemoryReadModel


class Projection:
    """Two dead letters are waiting for it."""

    name, topic = "counted", "products-events"

    def __init__(self) -> None:
        self.obeyed = 0

    def obey(self, control: Control) -> None:
        self.obeyed += 1

    def lags(self) -> Sequence[PartitionLag]:
        return ()


class Board(InMemoryControlBoard):
    """It fails as it is told."""

    failure: Exception | None = None

    async def counts(self) -> Mapping[str, ParkedCount]:
        if self.failure is not None:
            raise self.failure
        return {"counted": ParkedCount(1, 2, 3.0)}


def _dead_letters() -> float:
    value = REGISTRY.get_sample_value("projection_dead_letters", {"projection": "counted"})
    assert value is not None
    return value


async def test_counts_that_cannot_be_read_three_times_are_unknown_until_they_are_read_again() -> None:
    board = Board(InMemoryReadModel())
    loop = ControlLoop(board, [Projection()])
    await loop.turn()
    assert _dead_letters() == 2.0
    board.failure = Unavailable("away")
    for seen in ("known", "known", "unknown"):
        try:
            await loop.turn()
        except Unavailable:
            assert math.isnan(_dead_letters()) is (seen == "unknown")
        else:
            raise AssertionError("the outage was swallowed")
    board.failure = None
    await loop.turn()
    assert _dead_letters() == 2.0


async def test_an_error_that_nobody_expects_does_not_end_pausing_for_good() -> None:
    board, projection = Board(InMemoryReadModel()), Projection()
    board.failure = ValueError("a bug")
    loop, stop = ControlLoop(board, [projection]), asyncio.Event()

    def obeyed(times: int) -> None:
        assert projection.obeyed >= times

    with capture_logs():
        running = asyncio.create_task(loop.run(stop))
        await eventually(lambda: obeyed(2))
        stop.set()
        await running
