"""The use case alone: what it does when all goes well, and when each thing it depends on fails."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from msgspec.structs import replace

from command_api.relay.pace import RelayTimes
from command_api.relay.ports import AppendSignal, Chunk, Published
from command_api.relay.relay import Relay
from shared.contract.recorded_event import EventMetadata, RecordedEvent
from tests.eventually import eventually
from tests.unit.relay.in_memory import (
    TOPICS,
    HandSignal,
    InMemoryKafka,
    InMemoryLog,
    InMemoryLogTail,
    InMemoryPublisher,
    SilentSignal,
)
from tests.unit.relay.sample_events import sample_event, sample_events, versions_by_product, without_repeats

FAST = RelayTimes(
    poll_min=0.001, poll_max=0.002, lock_wait=0.001, retry_initial=0.001, retry_max=0.002, operator_wait=0.001
)


def relay_over(
    log: InMemoryLog,
    kafka: InMemoryKafka,
    appended: AppendSignal | None = None,
    *,
    chunk_interval: float = 0.0,
) -> Relay:
    return Relay(
        open_log=log.open,
        new_publisher=lambda log_id: InMemoryPublisher(kafka, log_id),
        appended=appended or SilentSignal(),
        times=dataclasses.replace(FAST, chunk_interval=chunk_interval),
    )


@asynccontextmanager
async def running(relay: Relay) -> AsyncIterator[asyncio.Event]:
    """The relay in the background; stopped at the end, and its error raised."""
    stop = asyncio.Event()
    task = asyncio.create_task(relay.run(stop))
    try:
        yield stop
    finally:
        stop.set()
        async with asyncio.timeout(10):
            await task


async def cursor_reaches(log: InMemoryLog, log_position: int) -> None:
    def reached() -> None:
        assert log.cursor == log_position

    await eventually(reached)


def complete_in_order(kafka: InMemoryKafka, events: Sequence[RecordedEvent]) -> bool:
    found = versions_by_product(kafka.records[TOPICS.events])
    return {key: without_repeats(versions) for key, versions in found.items()} == versions_by_product(events)


async def test_every_event_is_published_once_and_the_cursor_follows() -> None:
    events = sample_events(250)
    log, kafka = InMemoryLog(events), InMemoryKafka()
    async with running(relay_over(log, kafka)):
        await cursor_reaches(log, 250)
    assert kafka.records[TOPICS.events] == events


async def test_events_appended_while_idle_are_found_without_any_hint() -> None:
    log, kafka = InMemoryLog(sample_events(1)), InMemoryKafka()
    async with running(relay_over(log, kafka, SilentSignal())):
        await cursor_reaches(log, 1)
        log.events.extend(sample_events(3, first_position=2))
        await cursor_reaches(log, 4)


async def test_a_hint_ends_the_wait_between_polls() -> None:
    log, kafka, signal = InMemoryLog(), InMemoryKafka(), HandSignal()
    async with running(relay_over(log, kafka, signal)):
        log.events.extend(sample_events(3))
        signal.hinted.set()
        await cursor_reaches(log, 3)
        signal.hinted.set()  # lets the loop see the stop


async def test_after_a_small_chunk_there_is_an_interval_which_a_stop_ends() -> None:
    log, kafka = InMemoryLog(sample_events(3)), InMemoryKafka()
    async with running(relay_over(log, kafka, chunk_interval=3600)):
        await cursor_reaches(log, 3)
        log.events.extend(sample_events(3, first_position=4))
        for _ in range(100):
            await asyncio.sleep(0)
        assert log.cursor == 3


async def test_after_a_large_chunk_there_is_none() -> None:
    log, kafka = InMemoryLog(sample_events(250)), InMemoryKafka()
    async with running(relay_over(log, kafka, chunk_interval=3600)):
        await cursor_reaches(log, 250)


async def test_the_cursor_moves_over_the_confirmed_part_of_a_chunk_only() -> None:
    log, kafka = InMemoryLog(sample_events(10)), InMemoryKafka()
    kafka.deliveries_left = 4
    async with running(relay_over(log, kafka)):
        await cursor_reaches(log, 4)
        kafka.is_away = True
    assert log.cursor == 4


async def test_after_a_failed_delivery_a_new_publisher_goes_on_from_the_cursor() -> None:
    events = sample_events(10)
    log, kafka = InMemoryLog(events), InMemoryKafka()
    kafka.deliveries_left = 4
    async with running(relay_over(log, kafka)):
        await cursor_reaches(log, 4)
        kafka.deliveries_left = None
        await cursor_reaches(log, 10)
        assert kafka.started == kafka.stopped + 1 >= 2
    assert kafka.records[TOPICS.events] == events


async def test_nothing_confirmed_moves_nothing() -> None:
    log, kafka = InMemoryLog(sample_events(10)), InMemoryKafka()
    kafka.deliveries_left = 0

    def restarted_often() -> None:
        assert kafka.started >= 5

    async with running(relay_over(log, kafka)):
        await eventually(restarted_often)
    assert log.cursor == 0


async def test_while_kafka_is_away_the_relay_tries_on_and_then_catches_up() -> None:
    log, kafka = InMemoryLog(sample_events(10)), InMemoryKafka()
    kafka.is_away = True
    beats: list[None] = []
    relay = Relay(
        open_log=log.open,
        new_publisher=lambda log_id: InMemoryPublisher(kafka, log_id),
        appended=SilentSignal(),
        times=FAST,
        beat=lambda: beats.append(None),
    )

    def alive_and_not_forwarding() -> None:
        assert len(beats) > 10
        assert relay.status.is_active
        assert not relay.status.is_forwarding

    async with running(relay):
        await eventually(alive_and_not_forwarding)
        kafka.is_away = False
        await cursor_reaches(log, 10)
    assert log.opened == 1, "Kafka's faults are no reason to give up the lock"


async def test_an_event_refused_for_good_stops_the_relay_before_it_until_it_can_be_sent() -> None:
    events = [
        *sample_events(3, products=1),
        sample_event(4, sample_events(1)[0].product_id, 4, data=b"x" * 99),
    ]
    log, kafka = InMemoryLog(events), InMemoryKafka()
    kafka.record_bytes_max = 50
    relay = relay_over(log, kafka)

    def stands_still() -> None:
        assert "position 4" in (relay.status.operator_needed or "")

    def goes_on() -> None:
        assert relay.status.operator_needed is None

    async with running(relay):
        await eventually(stands_still)
        assert log.cursor == 3
        kafka.record_bytes_max = 100
        await cursor_reaches(log, 4)
        await eventually(goes_on)
    assert kafka.records[TOPICS.events] == events


async def test_wrong_topics_stop_the_relay_before_anything_is_sent() -> None:
    log, kafka = InMemoryLog(sample_events(3)), InMemoryKafka()
    kafka.topics_are_wrong = True
    relay = relay_over(log, kafka)

    def stands_still() -> None:
        assert "3 partitions, wanted 12" in (relay.status.operator_needed or "")

    async with running(relay):
        await eventually(stands_still)
    assert (log.cursor, kafka.records[TOPICS.events]) == (0, [])


async def test_events_before_a_broken_row_are_published_and_the_row_stops_the_relay() -> None:
    log, kafka = InMemoryLog(sample_events(10)), InMemoryKafka()
    log.unreadable.add(6)
    relay = relay_over(log, kafka)

    def stands_still() -> None:
        assert "position 6" in (relay.status.operator_needed or "")

    async with running(relay):
        await eventually(stands_still)
        assert log.cursor == 5
        log.unreadable.clear()
        await cursor_reaches(log, 10)


async def test_the_next_chunk_is_read_and_encoded_while_kafka_confirms_the_present_one() -> None:
    log, kafka = InMemoryLog(sample_events(10), chunk_events_max=4), InMemoryKafka()
    kafka.gate.clear()

    def has_read_on() -> None:
        assert log.reads == [0, 4]

    async with running(relay_over(log, kafka)):
        await eventually(has_read_on)
        kafka.gate.set()
        await cursor_reaches(log, 10)


async def test_publishing_stops_at_once_when_the_locks_connection_is_lost() -> None:
    log, kafka = InMemoryLog(sample_events(10)), InMemoryKafka()
    kafka.gate.clear()

    def begun_anew() -> None:
        assert log.opened == 2
        assert kafka.started == 2

    async with running(relay_over(log, kafka)):
        async with asyncio.timeout(10):
            await kafka.publishing.wait()
        log.sever()
        await eventually(begun_anew)
        assert kafka.records[TOPICS.events] == []
        kafka.gate.set()
        await cursor_reaches(log, 10)


async def test_a_relay_whose_cursor_was_moved_by_another_starts_again_from_there() -> None:
    events = sample_events(10)
    log, kafka = InMemoryLog(events[:5]), InMemoryKafka()
    kafka.gate.clear()
    async with running(relay_over(log, kafka)):
        async with asyncio.timeout(10):
            await kafka.publishing.wait()
        log.cursor = 3
        log.events.extend(events[5:])
        kafka.gate.set()
        await cursor_reaches(log, 10)
        assert log.opened == 2
    assert complete_in_order(kafka, events)


async def test_a_standby_waits_and_takes_over() -> None:
    log, kafka = InMemoryLog(sample_events(5)), InMemoryKafka()
    other = InMemoryLogTail(log)
    assert await other.try_lock()
    relay = relay_over(log, kafka)
    async with running(relay):
        await eventually(lambda: _opened(log))
        assert not relay.status.is_active
        assert kafka.started == 0
        await other.close()
        await cursor_reaches(log, 5)
        assert relay.status.is_active
    assert not relay.status.is_active


def _opened(log: InMemoryLog) -> None:
    assert log.opened == 1


async def test_a_log_that_is_away_is_waited_for() -> None:
    log, kafka = InMemoryLog(sample_events(5)), InMemoryKafka()
    log.is_away = True

    def has_tried_again() -> None:
        assert log.refused >= 2

    async with running(relay_over(log, kafka)):
        await eventually(has_tried_again)
        log.is_away = False
        await cursor_reaches(log, 5)


async def test_a_stop_finishes_the_chunk_on_its_way_saves_the_cursor_and_frees_the_lock() -> None:
    log, kafka = InMemoryLog(sample_events(10), chunk_events_max=4), InMemoryKafka()
    kafka.gate.clear()
    async with running(relay_over(log, kafka)) as stop:
        async with asyncio.timeout(10):
            await kafka.publishing.wait()
        stop.set()
        kafka.gate.set()
    assert log.cursor == 4
    assert log.holder is None
    assert kafka.stopped == 1


async def test_a_bug_in_the_publisher_ends_the_process_and_is_not_retried() -> None:
    class Broken(InMemoryPublisher):
        async def publish(self, chunk: Chunk) -> Published:
            raise ZeroDivisionError

    log, kafka = InMemoryLog(sample_events(1)), InMemoryKafka()
    relay = Relay(
        open_log=log.open, new_publisher=lambda _: Broken(kafka), appended=SilentSignal(), times=FAST
    )
    with pytest.raises(ZeroDivisionError):
        await relay.run(asyncio.Event())
    assert log.holder is None


async def test_a_log_that_ends_before_the_topics_was_restored_and_is_not_published() -> None:
    lost, kafka = sample_events(5, products=1), InMemoryKafka()
    log = InMemoryLog(lost[:3])
    log.cursor = 3
    kafka.records[TOPICS.events] = list(lost)
    relay = relay_over(log, kafka)
    async with running(relay):
        await eventually(lambda: stopped_because(relay, "the log ends before"))
    assert kafka.records[TOPICS.events] == list(lost)


async def test_nor_one_that_has_gone_on_differently() -> None:
    lost = sample_events(5, products=1)
    others = [replace(one, metadata=EventMetadata(uuid4(), "other")) for one in sample_events(8, products=1)]
    kafka, log = InMemoryKafka(), InMemoryLog([*lost[:3], *others[3:]])
    log.cursor = 3
    kafka.records[TOPICS.events] = list(lost)
    relay = relay_over(log, kafka)
    async with running(relay):
        await eventually(lambda: stopped_because(relay, "the log has another event there"))
    assert kafka.records[TOPICS.events] == list(lost)


def stopped_because(relay: Relay, reason: str) -> None:
    assert reason in (relay.status.operator_needed or "")
