"""Delivered offsets neither go back nor pass over records."""

from uuid import UUID

import pytest
from aiokafka import TopicPartition

from projector.errors import LogDiffers, PassedOver
from projector.kafka.continuity import Continuity
from projector.kafka.starting_points import StartingPoint
from tests.unit.projector.histories import created, history, new_product_id
from tests.unit.projector.records import LOG_ID, TOPIC, record_of

EVENT = history(new_product_id(), created())[0]


def continuity(**next_offsets: int) -> Continuity:
    """`p0=5`: partition 0 goes on at offset 5."""
    one = Continuity("What helps.")
    begin(one, **next_offsets)
    return one


def begin(one: Continuity, log_id: UUID = LOG_ID, **next_offsets: int) -> None:
    one.begin(
        {
            TopicPartition(TOPIC, int(name[1:])): StartingPoint(offset, log_id, EVENT.log_position)
            for name, offset in next_offsets.items()
        }
    )


def new(one: Continuity, *at: tuple[int, int], placed: tuple[int, ...] = (0, 1)) -> list[tuple[int, int]]:
    records = [record_of(EVENT, offset, partition=partition) for partition, offset in at]
    return [(record.partition, record.offset) for record in one.new(records, placed)]


def test_records_follow_each_other_in_each_partition() -> None:
    one = continuity(p0=5, p1=0)
    assert new(one, (0, 5), (1, 0), (0, 6)) == [(0, 5), (1, 0), (0, 6)]
    assert new(one, (0, 7), (1, 1)) == [(0, 7), (1, 1)]
    assert one.next_offsets([0, 1]) == {0: 8, 1: 2}


def test_records_of_a_partition_that_is_not_placed_do_not_count() -> None:
    one = continuity(p0=5, p1=0)
    assert new(one, (0, 9), (1, 0), placed=(1,)) == [(1, 0)]
    assert one.next_offsets([0]) == {0: 5}


def test_offsets_that_go_back_are_another_topic_except_the_record_at_the_checkpoint() -> None:
    one = continuity(p0=5)
    assert new(one, (0, 4), (0, 5)) == [(0, 5)]
    with pytest.raises(LogDiffers, match=r"goes on at offset 3, the projection is at 6.*What helps"):
        new(one, (0, 3))


def test_offsets_that_were_passed_over_are_read_again_and_are_known_then() -> None:
    one = continuity(p0=5, p1=0)
    with pytest.raises(PassedOver, match=r"\[0\] goes on at offset 8, the projection is at 6"):
        new(one, (0, 5), (0, 8), (1, 0))
    begin(one, p0=5, p1=0)
    assert new(one, (0, 5), (0, 8), (1, 0)) == [(0, 5), (0, 8), (1, 0)]
    begin(one, p0=5)
    assert new(one, (0, 5), (0, 8)) == [(0, 5), (0, 8)]


def test_other_offsets_that_are_passed_over_are_read_again_too() -> None:
    one = continuity(p0=5, p1=5)
    for at in ((0, 8), (1, 8), (0, 9)):
        begin(one, p0=5, p1=5)
        with pytest.raises(PassedOver):
            new(one, at)
    begin(one, p0=6)
    with pytest.raises(PassedOver):
        new(one, (0, 9))


def test_all_that_a_batch_passes_over_is_read_again_at_once() -> None:
    one = continuity(p0=0, p1=0)
    with pytest.raises(PassedOver, match=r"\[0\] goes on at offset 1, the projection is at 0"):
        new(one, (0, 1), (0, 3), (1, 2), (0, 5))
    begin(one, p0=0, p1=0)
    assert new(one, (0, 1), (0, 3), (1, 2), (0, 5)) == [(0, 1), (0, 3), (1, 2), (0, 5)]


def test_records_that_were_lost_come_with_the_second_reading() -> None:
    one = continuity(p0=5)
    with pytest.raises(PassedOver):
        new(one, (0, 7))
    begin(one, p0=5)
    assert new(one, (0, 4), (0, 5), (0, 6), (0, 7)) == [(0, 5), (0, 6), (0, 7)]
