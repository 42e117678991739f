"""What every log tail and every publisher must do, real or in memory; each adapter's test module inherits."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import pytest

from command_api.relay.ports import (
    LogTail,
    LogUnavailable,
    OperatorNeeded,
    Publisher,
    PublishFailed,
    RelayReplaced,
)
from shared.contract.recorded_event import RecordedEvent
from tests.eventually import eventually
from tests.unit.relay.sample_events import product, sample_event, sample_events, versions_by_product

CHUNK_EVENTS_MAX = 4


class LogHarness(Protocol):
    """A log of a test's own; sessions read at most CHUNK_EVENTS_MAX events at a time."""

    async def append(self, events: Sequence[RecordedEvent]) -> None: ...
    async def spoil_metadata(self, log_position: int) -> None: ...
    async def open(self) -> LogTail: ...
    async def sever_lock_holder(self) -> None: ...


class LogTailSuite:
    """Inherit and provide the fixture `log`."""

    async def test_a_chunk_is_what_follows_the_position_in_order(self, log: LogHarness) -> None:
        events = sample_events(6)
        await log.append(events)
        tail = await log.open()
        assert list(await tail.read_after(0)) == events[:4]
        assert list(await tail.read_after(4)) == events[4:]
        assert list(await tail.read_after(6)) == []
        await tail.close()

    async def test_the_log_names_itself(self, log: LogHarness) -> None:
        tail = await log.open()
        assert len(tail.log_id) == 36
        await tail.close()

    async def test_the_cursor_begins_at_zero_and_moves_only_from_where_it_is(self, log: LogHarness) -> None:
        tail = await log.open()
        assert await tail.read_cursor() == 0
        await tail.move_cursor(0, 7)
        with pytest.raises(RelayReplaced):
            await tail.move_cursor(0, 9)
        assert await tail.read_cursor() == 7
        await tail.close()

    async def test_one_session_holds_the_lock_and_its_end_frees_it(self, log: LogHarness) -> None:
        first, second = await log.open(), await log.open()
        assert await first.try_lock()
        assert not await second.try_lock()
        await first.close()

        async def freed() -> None:
            assert await second.try_lock()

        await eventually(freed)
        await second.close()

    async def test_a_severed_session_says_so_and_answers_nothing_more(self, log: LogHarness) -> None:
        tail = await log.open()
        assert await tail.try_lock()
        await log.sever_lock_holder()
        async with asyncio.timeout(10):
            await tail.lost()
        with pytest.raises(LogUnavailable):
            await tail.read_after(0)
        with pytest.raises(LogUnavailable):
            await tail.move_cursor(0, 1)
        await tail.close()

    async def test_what_can_be_read_before_a_broken_row_is_read_and_the_row_itself_is_named(
        self, log: LogHarness
    ) -> None:
        events = sample_events(4)
        await log.append(events)
        await log.spoil_metadata(3)
        tail = await log.open()
        assert list(await tail.read_after(0)) == events[:2]
        with pytest.raises(OperatorNeeded, match="position 3"):
            await tail.read_after(2)
        await tail.close()


class KafkaHarness(Protocol):
    """A broker and topics of a test's own, and what a foreign client reads from them."""

    def publisher(self) -> Publisher: ...
    async def spoil_topics(self) -> None: ...
    def away(self) -> Publisher: ...
    async def read(self, kind: str) -> list[RecordedEvent]: ...


class PublisherSuite:
    """Inherit and provide the fixture `kafka`."""

    async def test_everything_confirmed_is_there_in_order_per_product(self, kafka: KafkaHarness) -> None:
        events = sample_events(50)
        publisher = kafka.publisher()
        await publisher.start()
        assert await publisher.publish(publisher.prepare(events[:30])) == (30, None)
        assert await publisher.publish(publisher.prepare(events[30:])) == (20, None)
        await publisher.stop()
        assert versions_by_product(await kafka.read("events")) == versions_by_product(events)

    async def test_each_event_goes_to_the_topic_of_its_kind_as_well(self, kafka: KafkaHarness) -> None:
        kinds = ["product-created", "product-published", "product-deleted"]
        events = [sample_event(n, product(1), n, event_type=kind) for n, kind in enumerate(kinds, start=1)]
        publisher = kafka.publisher()
        await publisher.start()
        await publisher.publish(publisher.prepare(events))
        await publisher.stop()
        for kind, version in (("created", 1), ("updated", 2), ("deleted", 3)):
            assert versions_by_product(await kafka.read(kind)) == {str(product(1)): [version]}

    async def test_an_event_of_512_kib_passes(self, kafka: KafkaHarness) -> None:
        events = sample_events(3, products=1, data=b'"%s"' % (b"x" * 512 * 1024))
        publisher = kafka.publisher()
        await publisher.start()
        assert await publisher.publish(publisher.prepare(events)) == (3, None)
        await publisher.stop()
        assert [len(event.data) for event in await kafka.read("events")] == [len(events[0].data)] * 3

    async def test_an_event_that_is_refused_for_good_needs_an_operator_and_is_named(
        self, kafka: KafkaHarness
    ) -> None:
        too_large = sample_event(3, product(0), 3, data=b"x" * 1_500_000)
        events = [*sample_events(2, products=1), too_large, sample_event(4, product(0), 4)]
        publisher = kafka.publisher()
        await publisher.start()
        published = await publisher.publish(publisher.prepare(events))
        await publisher.stop()
        assert published.confirmed_events == 2
        assert isinstance(published.failure, OperatorNeeded)
        assert "position 3" in str(published.failure)
        assert versions_by_product(await kafka.read("events")) == {str(product(0)): [1, 2]}

    async def test_wrong_topics_need_an_operator(self, kafka: KafkaHarness) -> None:
        await kafka.spoil_topics()
        publisher = kafka.publisher()
        with pytest.raises(OperatorNeeded, match="products-events has 3 partitions, wanted 12"):
            await publisher.start()
        await publisher.stop()

    async def test_a_broker_that_is_away_fails_the_start_for_now(self, kafka: KafkaHarness) -> None:
        publisher = kafka.away()
        with pytest.raises(PublishFailed):
            await publisher.start()
        await publisher.stop()

    async def test_stopping_twice_or_before_the_start_is_nothing(self, kafka: KafkaHarness) -> None:
        await kafka.publisher().stop()
        publisher = kafka.publisher()
        await publisher.start()
        await publisher.stop()
        await publisher.stop()
