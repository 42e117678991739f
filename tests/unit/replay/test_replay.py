"""The use case alone: what is sent and counted when all goes well, and when each of its needs fails."""

import asyncio
from collections.abc import Sequence

import pytest

from command_api.relay.ports import (
    Chunk,
    LogUnavailable,
    OperatorNeeded,
    Published,
    PublishFailed,
)
from command_api.replay.pace import Pace
from command_api.replay.ports import Selection
from command_api.replay.replay import Replay, Tally
from shared.contract.recorded_event import RecordedEvent
from tests.eventually import eventually
from tests.unit.relay.in_memory import TOPICS, InMemoryKafka, InMemoryPublisher
from tests.unit.relay.sample_events import product, sample_event, sample_events
from tests.unit.replay.in_memory import InMemoryReplayLog

ALL = Selection(1, 250)


def replay_of(
    log: InMemoryReplayLog,
    selection: Selection = ALL,
    *,
    pace: Pace | None = None,
    told: list[Tally] | None = None,
) -> Replay:
    return Replay(
        log,
        selection,
        chunk_events_max=100,
        pace=pace or Pace(),
        now=lambda: 0.0,
        progress=lambda tally: (
            told.append(Tally(tally.confirmed_position, tally.events)) if told is not None else None
        ),
    )


def sent(kafka: InMemoryKafka) -> list[RecordedEvent]:
    return kafka.records[TOPICS.events]


async def test_everything_selected_is_sent_once_in_order_and_counted() -> None:
    log, kafka, told = InMemoryReplayLog(sample_events(300)), InMemoryKafka(), list[Tally]()
    replay = replay_of(log, Selection(11, 250), told=told)
    await replay.publish(InMemoryPublisher(kafka), asyncio.Event())
    assert sent(kafka) == log.events[10:250]
    assert replay.is_complete
    assert replay.tally == Tally(250, 240)
    assert told == [Tally(110, 100), Tally(210, 200), Tally(250, 240)]
    assert (kafka.started, kafka.stopped) == (1, 1)


async def test_stretches_without_a_selected_event_are_passed_and_count_as_done() -> None:
    events = [*sample_events(249), sample_event(250, product(7), 1, event_type="product-deleted")]
    log, kafka, told = InMemoryReplayLog(events, window_positions_max=100), InMemoryKafka(), list[Tally]()
    replay = replay_of(log, Selection(1, 250, event_types=("product-deleted",)), told=told)
    await replay.publish(InMemoryPublisher(kafka), asyncio.Event())
    assert sent(kafka) == events[-1:]
    assert told == [Tally(100, 0), Tally(200, 0), Tally(250, 1)]


async def test_a_range_without_anything_selected_is_complete_with_no_event() -> None:
    replay = replay_of(InMemoryReplayLog(sample_events(250)), Selection(1, 250, (product(99),)))
    await replay.publish(InMemoryPublisher(InMemoryKafka()), asyncio.Event())
    assert replay.is_complete
    assert replay.tally == Tally(250, 0)


async def test_a_range_behind_the_end_of_the_log_is_complete_but_its_topic_was_looked_at() -> None:
    kafka = InMemoryKafka()
    kafka.topics_are_wrong = True
    replay = replay_of(InMemoryReplayLog(sample_events(5)), Selection(9, 5))
    with pytest.raises(OperatorNeeded):
        await replay.publish(InMemoryPublisher(kafka), asyncio.Event())
    kafka.topics_are_wrong = False
    await replay.publish(InMemoryPublisher(kafka), asyncio.Event())
    assert replay.is_complete
    assert replay.tally.events == 0


async def test_a_count_counts_and_sends_nothing() -> None:
    log, told = InMemoryReplayLog(sample_events(300), window_positions_max=100), list[Tally]()
    replay = replay_of(log, told=told)
    await replay.count(asyncio.Event())
    assert replay.tally == Tally(250, 250)
    assert told == [Tally(100, 100), Tally(200, 200), Tally(250, 250)]


async def test_a_failed_delivery_ends_it_and_what_was_confirmed_before_is_counted() -> None:
    log, kafka = InMemoryReplayLog(sample_events(250)), InMemoryKafka()
    kafka.deliveries_left = 130
    replay = replay_of(log)
    with pytest.raises(PublishFailed):
        await replay.publish(InMemoryPublisher(kafka), asyncio.Event())
    assert replay.tally == Tally(130, 130)
    assert not replay.is_complete
    assert kafka.stopped == 1


async def test_what_lies_between_two_selected_events_is_done_with_the_first_of_them() -> None:
    log, kafka = InMemoryReplayLog(sample_events(250)), InMemoryKafka()
    kafka.deliveries_left = 2
    replay = replay_of(log, Selection(1, 250, (product(2),)))
    with pytest.raises(PublishFailed):
        await replay.publish(InMemoryPublisher(kafka), asyncio.Event())
    assert [event.log_position for event in sent(kafka)] == [3, 8]
    assert replay.tally == Tally(12, 2)


async def test_another_replay_from_there_on_completes_it_and_repeats_nothing() -> None:
    log, kafka = InMemoryReplayLog(sample_events(250)), InMemoryKafka()
    kafka.deliveries_left = 130
    replay = replay_of(log)
    with pytest.raises(PublishFailed):
        await replay.publish(InMemoryPublisher(kafka), asyncio.Event())
    kafka.deliveries_left = None
    following = replay_of(log, Selection(replay.tally.confirmed_position + 1, 250))
    await following.publish(InMemoryPublisher(kafka), asyncio.Event())
    assert sent(kafka) == log.events


async def test_a_log_that_goes_away_ends_it_after_the_chunk_that_is_on_its_way() -> None:
    log, kafka = InMemoryReplayLog(sample_events(250)), InMemoryKafka()
    kafka.gate.clear()
    replay = replay_of(log)
    publishing = asyncio.create_task(replay.publish(InMemoryPublisher(kafka), asyncio.Event()))
    await kafka.publishing.wait()
    await log.close()
    kafka.gate.set()
    with pytest.raises(LogUnavailable):
        await publishing
    assert replay.tally.confirmed_position == len(sent(kafka)) > 0
    assert kafka.stopped == 1


async def test_a_broken_row_ends_it_right_before_that_row() -> None:
    log, kafka = InMemoryReplayLog(sample_events(250)), InMemoryKafka()
    log.unreadable.add(131)
    replay = replay_of(log)
    with pytest.raises(OperatorNeeded, match="position 131"):
        await replay.publish(InMemoryPublisher(kafka), asyncio.Event())
    assert replay.tally == Tally(130, 130)


async def test_the_next_chunk_is_read_while_the_present_one_is_on_its_way() -> None:
    log, kafka = InMemoryReplayLog(sample_events(250)), InMemoryKafka()
    kafka.gate.clear()
    replay = replay_of(log)
    publishing = asyncio.create_task(replay.publish(InMemoryPublisher(kafka), asyncio.Event()))

    def read_ahead() -> None:
        assert log.reads == [0, 100]

    await eventually(read_ahead)
    assert replay.tally == Tally(0, 0)
    kafka.gate.set()
    await publishing
    assert sent(kafka) == log.events
    assert log.reads == [0, 100, 200]


async def test_a_stop_lets_the_chunk_on_its_way_be_confirmed_and_sends_no_other() -> None:
    log, kafka, stop = InMemoryReplayLog(sample_events(250)), InMemoryKafka(), asyncio.Event()
    kafka.gate.clear()
    replay = replay_of(log)
    publishing = asyncio.create_task(replay.publish(InMemoryPublisher(kafka), stop))
    await kafka.publishing.wait()
    stop.set()
    kafka.gate.set()
    await publishing
    assert replay.tally == Tally(100, 100)
    assert sent(kafka) == log.events[:100]
    assert not replay.is_complete


async def test_a_stop_while_kafka_confirms_nothing_ends_it_and_that_chunk_does_not_count() -> None:
    log, kafka, stop = InMemoryReplayLog(sample_events(250)), InMemoryKafka(), asyncio.Event()
    kafka.gate.clear()
    replay = Replay(log, ALL, chunk_events_max=100, pace=Pace(), now=lambda: 0.0, finish_seconds_max=0.01)
    publishing = asyncio.create_task(replay.publish(InMemoryPublisher(kafka), stop))
    await kafka.publishing.wait()
    stop.set()
    async with asyncio.timeout(10):
        await publishing
    assert replay.tally == Tally(0, 0)
    assert kafka.stopped == 1


async def test_a_stop_ends_the_wait_for_a_slow_pace() -> None:
    log, kafka, stop = InMemoryReplayLog(sample_events(250)), InMemoryKafka(), asyncio.Event()
    told: list[Tally] = []
    replay = replay_of(log, pace=Pace(1 / 3600), told=told)
    publishing = asyncio.create_task(replay.publish(InMemoryPublisher(kafka), stop))

    def first_is_sent() -> None:
        assert told == [Tally(1, 1)]

    await eventually(first_is_sent)
    stop.set()
    await publishing
    assert sent(kafka) == log.events[:1]
    assert not replay.is_complete


async def test_a_stop_ends_a_count_between_two_statements() -> None:
    log, stop = InMemoryReplayLog(sample_events(300), window_positions_max=100), asyncio.Event()
    replay = Replay(
        log, ALL, chunk_events_max=100, pace=Pace(), now=lambda: 0.0, progress=lambda _: stop.set()
    )
    await replay.count(stop)
    assert replay.tally == Tally(100, 100)
    assert not replay.is_complete


class _Watched(InMemoryPublisher):
    """Notes what it is given as one."""

    def __init__(self, kafka: InMemoryKafka) -> None:
        super().__init__(kafka)
        self.chunks: list[Sequence[RecordedEvent]] = []

    async def publish(self, chunk: Chunk) -> Published:
        self.chunks.append(chunk.events)
        return await super().publish(chunk)


async def test_with_a_rate_the_chunks_are_turns_and_each_waits_for_its_time() -> None:
    now = 0.0

    def clock() -> float:
        """A second passes between any two looks at it, so no turn ever has to wait."""
        nonlocal now
        now += 1.0
        return now

    log, publisher, pace = InMemoryReplayLog(sample_events(100)), _Watched(InMemoryKafka()), Pace(100.0)
    replay = Replay(log, Selection(1, 100), chunk_events_max=100, pace=pace, now=clock)
    await replay.publish(publisher, asyncio.Event())
    assert [len(chunk) for chunk in publisher.chunks] == [20, 20, 20, 20, 20]
    assert pace.wait_seconds(5.0, 20) == pytest.approx(0.2), "the fifth turn was asked for at second 5"
