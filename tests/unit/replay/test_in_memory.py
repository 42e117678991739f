"""The fake of the log that a replay reads is as good as the real adapter: it passes the same suite."""

from collections.abc import Sequence

import pytest

from command_api.replay.ports import ReplayLog
from shared.contract.recorded_event import RecordedEvent
from tests.unit.replay.in_memory import InMemoryReplayLog
from tests.unit.replay.suites import WINDOW_POSITIONS_MAX, ReplayLogSuite


class _Log:
    def __init__(self) -> None:
        self.log = InMemoryReplayLog(window_positions_max=WINDOW_POSITIONS_MAX)

    async def append(self, events: Sequence[RecordedEvent]) -> None:
        self.log.events.extend(events)

    async def spoil_metadata(self, log_position: int) -> None:
        self.log.unreadable.add(log_position)

    async def relay_to(self, log_position: int) -> None:
        self.log.relayed = log_position

    async def open(self) -> ReplayLog:
        return self.log

    async def sever(self) -> None:
        self.log.is_away = True


@pytest.fixture
def log() -> _Log:
    return _Log()


class TestInMemoryReplayLog(ReplayLogSuite):
    pass
