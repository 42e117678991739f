"""A process that is not in its group counts the lag in the log, but only where nobody reads."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from projector.applying.ports import WaitingEvent
from projector.control.ports import WAITS_FOR_KAFKA, LastReport
from projector.errors import Unavailable
from projector.kafka.lags import SILENCE_SECONDS_MAX, Lags, LogCount
from projector.kafka.metrics import ProjectionMetrics
from projector.kafka.offsets import AppliedOffsets
from projector.kafka.placement import Placement
from shared.contract.addresses import partition_of
from tests.counters import counted
from tests.unit.projector.histories import new_product_id

PARTITIONS = 3
TROUBLE = f"{WAITS_FOR_KAFKA}no answer"


class Log:
    """One event that nobody has applied in each of the partitions; an hour old."""

    failure: Exception | None = None

    def __init__(self) -> None:
        products = {partition_of(one, PARTITIONS): one for one in (new_product_id() for _ in range(100))}
        recorded_at = datetime.now(UTC) - timedelta(hours=1)
        self._events = [WaitingEvent(at + 1, one, recorded_at) for at, one in sorted(products.items())]

    async def newest_position(self) -> int:
        if self.failure is not None:
            raise self.failure
        return PARTITIONS

    async def waiting_after(self, position: int, events_max: int) -> Sequence[WaitingEvent]:
        return [one for one in self._events if one.log_position > position]


class World:
    """The lags of a projection whose process has just started, and the reports about it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.reports: dict[int, LastReport] = {}
        self.log = Log()
        self.name = f"projection {uuid4()}"
        metrics = ProjectionMetrics(self.name)
        self.lags = Lags(
            "t",
            AppliedOffsets(self.name, "t", metrics),
            Placement(),
            metrics,
            LogCount(self.log, self._positions, self._last_reports, PARTITIONS),
            clock=lambda: self.now,
        )

    async def _positions(self) -> Mapping[int, int]:
        return {}

    async def _last_reports(self) -> Mapping[int, LastReport]:
        return self.reports

    async def outside(self) -> dict[int, tuple[int, int]]:
        """By partition the next offset and the lag that it tells."""
        told = await self.lags.outside(TROUBLE)
        assert {one.trouble for one in told} <= {f"{TROUBLE}; the lag is counted in the log"}
        return {one.partition: (one.next_offset, one.lag_events) for one in told}


@pytest.fixture
def world() -> World:
    return World()


async def test_a_start_that_takes_a_moment_tells_nothing(world: World) -> None:
    world.now += SILENCE_SECONDS_MAX - 1
    assert await world.outside() == {}
    world.now += 1
    assert await world.outside() == {0: (0, 1), 1: (0, 1), 2: (0, 1)}


async def test_what_another_process_reads_is_left_to_its_report(world: World) -> None:
    world.now += SILENCE_SECONDS_MAX
    world.reports = {0: LastReport(7, is_by_reader=True), 1: LastReport(8, is_by_reader=False)}
    assert await world.outside() == {1: (8, 1), 2: (0, 1)}
    assert counted("projection_lag_events", projection=world.name) == 2
    assert counted("projection_lag_seconds", projection=world.name, partition="1") > 3500


async def test_a_log_that_cannot_be_counted_either_is_no_error(world: World) -> None:
    world.now += SILENCE_SECONDS_MAX
    world.log.failure = Unavailable("away")
    assert await world.outside() == {}
