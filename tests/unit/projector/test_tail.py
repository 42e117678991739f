"""The newest records of a topic: each follower gets all of its partitions once, or is told what is gone."""

import random
from collections.abc import Iterable

from projector.kafka.records import SharedRecord
from projector.kafka.tail import BEHIND_RECORDS_MAX, RECORDS_KEPT, Follower, Place, Tail
from tests.unit.projector.histories import created, history, new_product_id
from tests.unit.projector.records import record_of

EVENT = history(new_product_id(), created())[0]


def records(partition: int, offsets: Iterable[int], value: bytes = b"{}") -> tuple[SharedRecord, ...]:
    return tuple(
        SharedRecord(record_of(EVENT, offset, partition=partition, value=value)) for offset in offsets
    )


def taken(follower: Follower, records_max: int = 1000) -> list[tuple[int, int]] | None:
    some = follower.take(records_max)
    return None if some is None else [(record.partition, record.offset) for record in some]


def reading(*partitions: int, **limits: int) -> Tail:
    tail = Tail(**{"records_max": 5_000, "bytes_max": 1_000_000, **limits})
    tail.start(dict.fromkeys(partitions, 0))
    return tail


def test_a_follower_takes_each_record_of_its_partitions_once_and_in_order() -> None:
    tail = reading(0, 1)
    both, one = Follower(tail, {0: 0, 1: 0}), Follower(tail, {1: 0})
    tail.add(records(0, [0, 1]) + records(1, [0]))
    assert taken(both) == [(0, 0), (0, 1), (1, 0)]
    tail.add(records(1, [1, 5]))
    assert (taken(both), taken(both)) == ([(1, 1), (1, 5)], [])
    assert (taken(one), taken(one)) == ([(1, 0), (1, 1), (1, 5)], [])
    assert (both.next_offsets, one.next_offsets, both.waiting) == ({0: 2, 1: 6}, {1: 6}, 0)


def test_who_is_ahead_of_the_reading_gets_nothing_twice() -> None:
    tail = reading(0)
    follower = Follower(tail, {0: 2})
    tail.add(records(0, [0, 1]))
    tail.add(records(0, [2, 3]))
    assert taken(follower) == [(0, 2), (0, 3)]


def test_a_batch_has_whole_pieces_and_at_most_so_many_records_unless_one_piece_is_larger() -> None:
    tail = reading(0)
    follower = Follower(tail, {0: 0})
    for offsets in ([0, 1, 2], [3], [4, 5]):
        tail.add(records(0, offsets))
    assert taken(follower, 2) == [(0, 0), (0, 1), (0, 2)]
    assert taken(follower, 3) == [(0, 3), (0, 4), (0, 5)]


def test_who_is_too_slow_is_told_and_may_follow_again_once_it_has_read_what_is_gone() -> None:
    tail = reading(0, records_max=4)
    follower = Follower(tail, {0: 0})
    for offset in range(0, 10, 2):
        tail.add(records(0, [offset, offset + 1]))
    assert taken(follower) is None
    assert not tail.reaches({0: Place(5, 10)})
    assert tail.reaches({0: Place(6, 10)})
    assert taken(Follower(tail, {0: 7})) == [(0, 7), (0, 8), (0, 9)]


def test_large_records_go_sooner_and_the_newest_stay() -> None:
    tail = reading(0, bytes_max=250)
    for offset in range(3):
        tail.add(records(0, [offset], b"x" * 100))
    assert (tail.end - tail.begin, tail.first_offsets) == (2, {0: 1})
    tail.add(records(0, [3], b"x" * 1000))
    assert (tail.end - tail.begin, tail.first_offsets) == (1, {0: 3})


def test_what_all_have_taken_goes_but_for_the_newest() -> None:
    tail = reading(0)
    slow, quick = Follower(tail, {0: 0}), Follower(tail, {0: 0})
    for offset in range(2 * RECORDS_KEPT):
        tail.add(records(0, [offset]))
    assert taken(quick, 10_000) is not None
    tail.trim([slow.place, quick.place])
    assert tail.begin == 0
    assert taken(slow, 10_000) is not None
    tail.trim([slow.place, quick.place])
    assert tail.begin == RECORDS_KEPT


def test_who_is_far_behind_the_end_or_ahead_of_the_reading_does_not_follow() -> None:
    tail = reading(0)
    assert tail.reaches({0: Place(0, BEHIND_RECORDS_MAX), 7: Place(0, 0)})
    assert not tail.reaches({0: Place(0, BEHIND_RECORDS_MAX), 7: Place(0, 1)})
    assert not tail.reaches({0: Place(BEHIND_RECORDS_MAX + 1, BEHIND_RECORDS_MAX + 1)})


def test_records_of_an_earlier_reading_of_a_partition_are_never_delivered() -> None:
    tail = reading(0, 1)
    follower = Follower(tail, {1: 0})
    tail.add(records(0, [0, 1]) + records(1, [0]))
    tail.forget(0)
    tail.start({0: 0})
    assert taken(follower) is None, "what it has not taken is gone with the others"
    assert taken(Follower(tail, {0: 0})) == []
    assert not tail.reaches({1: Place(0, 1)})
    assert tail.reaches({1: Place(1, 1), 0: Place(0, 0)})


def test_a_follower_that_has_left_gets_nothing_more() -> None:
    tail = reading(0)
    follower = Follower(tail, {0: 0})
    tail.add(records(0, [0]))
    follower.end()
    assert (follower.is_over, follower.waiting, follower.news.is_set(), taken(follower)) == (
        True,
        0,
        True,
        None,
    )


def test_who_needs_records_that_another_reading_of_its_partitions_ends_reads_them_by_itself_first() -> None:
    """Partition 1 comes back: its old records go, and with them those of partition 0."""
    tail = reading(0, 1)
    tail.add(records(0, [0, 1]) + records(1, [0]))
    tail.forget(1)
    tail.add(records(0, [2]))
    assert not tail.reaches({0: Place(2, 3), 1: Place(1, 1)})
    assert tail.reaches({0: Place(2, 3)})
    places = {0: Place(3, 3), 1: Place(1, 1)}
    assert tail.reaches(places)
    tail.start({1: 1})
    follower = Follower(tail, {0: 3, 1: 1})
    tail.add(records(0, [3]) + records(1, [1]))
    assert taken(follower) == [(0, 3), (1, 1)]


def test_whoever_may_follow_gets_every_record_after_its_place() -> None:
    """Whatever was read before: two partitions that are read, forgotten and read again."""
    chance, followed = random.Random(7), 0
    for _ in range(2_000):
        tail, ends = reading(0, 1, records_max=chance.choice([3, 100])), {0: 0, 1: 0}
        for _ in range(chance.randrange(8)):
            partition = chance.randrange(2)
            if chance.random() < 0.3:
                if partition in tail.next_offsets:
                    tail.forget(partition)
                else:
                    tail.start({partition: ends[partition]})
            ends[partition] += 1
            if partition in tail.next_offsets:
                tail.add(records(partition, [ends[partition] - 1]))
        places = {at: Place(chance.randrange(end + 1), end) for at, end in ends.items()}
        if not tail.reaches(places):
            continue
        new = {at: place.next_offset for at, place in places.items() if at not in tail.next_offsets}
        if new:
            tail.start(new)
        follower = Follower(tail, {at: place.next_offset for at, place in places.items()})
        for at, offset in new.items():
            tail.add(records(at, range(offset, ends[at])))
        wanted = sorted((at, offset) for at, place in places.items() for offset in range(*place))
        found = taken(follower)
        if found is not None:  # else it is told that some are gone
            followed += 1
            assert sorted(found) == wanted
    assert followed > 100
