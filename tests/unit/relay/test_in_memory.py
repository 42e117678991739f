"""The relay's fakes are as good as the real adapters: they pass the same suites."""

from collections.abc import Sequence

import pytest

from command_api.relay.ports import LogTail, Publisher
from shared.contract.recorded_event import RecordedEvent
from tests.unit.relay.in_memory import TOPICS, InMemoryKafka, InMemoryLog, InMemoryPublisher
from tests.unit.relay.suites import CHUNK_EVENTS_MAX, LogTailSuite, PublisherSuite


class _Log:
    def __init__(self) -> None:
        self.log = InMemoryLog(chunk_events_max=CHUNK_EVENTS_MAX)

    async def append(self, events: Sequence[RecordedEvent]) -> None:
        self.log.events.extend(events)

    async def spoil_metadata(self, log_position: int) -> None:
        self.log.unreadable.add(log_position)

    async def open(self) -> LogTail:
        return await self.log.open()

    async def sever_lock_holder(self) -> None:
        self.log.sever()


class _Kafka:
    def __init__(self) -> None:
        self.kafka = InMemoryKafka()

    def publisher(self) -> Publisher:
        return InMemoryPublisher(self.kafka)

    async def spoil_topics(self) -> None:
        self.kafka.topics_are_wrong = True

    def away(self) -> Publisher:
        self.kafka.is_away = True
        return InMemoryPublisher(self.kafka)

    async def read(self, kind: str) -> list[RecordedEvent]:
        return self.kafka.records[getattr(TOPICS, kind)]


class TestInMemoryLogTail(LogTailSuite):
    @pytest.fixture
    def log(self) -> _Log:
        return _Log()


class TestInMemoryPublisher(PublisherSuite):
    @pytest.fixture
    def kafka(self) -> _Kafka:
        return _Kafka()
