"""How a chunk becomes record batches, read back with aiokafka's own decoder."""

from collections.abc import Callable

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from command_api.relay.kafka.lanes import Lane, fill_lanes
from shared.contract.addresses import partition_of, topics
from shared.contract.recorded_event import RecordedEvent
from shared.kafka.cloud_event import read_record
from tests.unit.relay.sample_events import RECORDED_AT, product, sample_events, versions_by_product

TOPICS = topics("x-")
LOG_ID = b"0b5e7c1e-0000-4000-8000-000000000001"


def lanes_of(
    events: list[RecordedEvent], *, batch_bytes: int = 16_384, is_replay: bool = False
) -> list[Lane]:
    new_batch: Callable[[], BatchBuilder] = lambda: BatchBuilder(batch_bytes, 0)  # noqa: E731
    return fill_lanes(
        events,
        log_id=LOG_ID,
        topics_of=lambda kind: (TOPICS.events, TOPICS.by_kind(kind)),
        partition_count=12,
        new_batch=new_batch,
        is_replay=is_replay,
    )


def records_of(lane: Lane) -> list[RecordedEvent]:
    return [
        read_record(bytes(record.key), bytes(record.value), record.headers).event
        for _, batch in lane.batches
        for record in _decoded(batch)
    ]


def _decoded(batch: BatchBuilder) -> list:  # type: ignore[type-arg]
    return [record for inner in _batches(batch) for record in inner]


def _batches(batch: BatchBuilder) -> list:  # type: ignore[type-arg]
    records, found = MemoryRecords(bytes(batch._build())), []
    while records.has_next():
        found.append(records.next_batch())
    return found


def test_a_product_keeps_to_the_partition_that_every_kafka_client_gives_its_key() -> None:
    lanes = [lane for lane in lanes_of(sample_events(60, products=20)) if lane.topic == TOPICS.events]
    for lane in lanes:
        for event in records_of(lane):
            assert partition_of(event.product_id, 12) == lane.partition
    assert sum(len(records_of(lane)) for lane in lanes) == 60


def test_every_event_goes_to_its_topics_in_log_order() -> None:
    events = sample_events(60, products=20)
    lanes = lanes_of(events)
    by_topic = {
        topic: versions_by_product(
            event for lane in lanes if lane.topic == topic for event in records_of(lane)
        )
        for topic in (TOPICS.events, TOPICS.created, TOPICS.updated)
    }
    assert by_topic[TOPICS.events] == versions_by_product(events)
    assert by_topic[TOPICS.created] == {str(product(n)): [1] for n in range(20)}
    assert by_topic[TOPICS.updated] == {str(product(n)): [2, 3] for n in range(20)}


def test_a_full_batch_is_followed_by_another_and_each_knows_its_first_event() -> None:
    events = sample_events(30, products=1, data=b"x" * 1000)
    lane = next(lane for lane in lanes_of(events, batch_bytes=5000) if lane.topic == TOPICS.events)
    assert len(lane.batches) > 3
    first_of_each = [_decoded(batch)[0] for _, batch in lane.batches]
    positions = [int(dict(record.headers)["ce_position"]) for record in first_of_each]
    assert positions == [events[index].log_position for index, _ in lane.batches]


def test_a_lane_is_unconfirmed_from_its_first_event_on() -> None:
    events = sample_events(60, products=20)
    for lane in lanes_of(events):
        assert lane.unconfirmed_from is not None
        assert events[lane.unconfirmed_from].product_id == records_of(lane)[0].product_id


def test_a_record_larger_than_a_batch_gets_one_of_its_own() -> None:
    lane = lanes_of(sample_events(3, products=1, data=b"x" * 50_000))[0]
    assert [batch.record_count() for _, batch in lane.batches] == [1, 1, 1]


def test_the_record_time_is_when_the_event_was_recorded() -> None:
    lane = lanes_of(sample_events(1))[0]
    assert _decoded(lane.batches[0][1])[0].timestamp == int(RECORDED_AT.timestamp() * 1000)


@pytest.mark.parametrize("is_replay", [True, False])
def test_only_a_replay_is_marked_as_one(is_replay: bool) -> None:
    lane = lanes_of(sample_events(1), is_replay=is_replay)[0]
    record = _decoded(lane.batches[0][1])[0]
    assert read_record(record.key, record.value, record.headers).is_replay is is_replay
