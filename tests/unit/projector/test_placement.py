"""Which partitions are read, which wait, and why: rules by example, and for any order of what happens."""

from uuid import UUID

import pytest
from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from projector.kafka.placement import STOPPED, Placement, Stop

LOG_ID = UUID(int=7)


class World:
    """A placement with a clock that the test moves."""

    def __init__(self, *assigned: int) -> None:
        self.now = 100.0
        self.placement = Placement(clock=lambda: self.now)
        if assigned:
            self.placement.assign([tp(one) for one in assigned])

    def due(self) -> list[int]:
        return sorted(one.partition for one in self.placement.due())

    def place_all(self) -> None:
        self.placement.place(dict.fromkeys(self.due(), LOG_ID))


def tp(partition: int) -> TopicPartition:
    return TopicPartition("t", partition)


def test_before_partitions_are_assigned_nothing_is_due_and_the_reason_says_so() -> None:
    world = World()
    assert world.due() == []
    assert world.placement.trouble() == "partitions are not assigned yet"
    assert world.placement.trouble_in(0) == "partitions are not assigned yet"


def test_assigned_partitions_are_due_until_they_are_placed() -> None:
    world = World(0, 1)
    assert world.due() == [0, 1]
    assert world.placement.trouble() == world.placement.trouble_in(0) == "checkpoints are being loaded"
    world.placement.place({0: LOG_ID})
    assert (world.due(), world.placement.placed) == ([1], {0: LOG_ID})
    assert (world.placement.trouble_in(0), world.placement.trouble()) == (
        None, "checkpoints are being loaded",
    )  # fmt: skip
    world.place_all()
    assert world.placement.trouble() is None


def test_a_wait_unplaces_all_for_at_least_so_long() -> None:
    world = World(0, 1)
    world.place_all()
    world.placement.wait("PostgreSQL is away", 5.0)
    assert (world.placement.placed, world.due()) == ({}, [])
    assert world.placement.trouble() == world.placement.trouble_in(1) == "PostgreSQL is away"
    world.now += 4.9
    assert world.due() == []
    world.now += 0.1
    assert world.due() == [0, 1]


def test_a_stop_holds_its_partition_alone_and_for_as_long_as_it_says() -> None:
    world = World(0, 1)
    world.place_all()
    world.placement.stop(1, Stop(42, "the log lacks version 2", 5.0))
    assert (world.placement.placed, world.due()) == ({0: LOG_ID}, [])
    assert world.placement.trouble() == "partition 1 stopped: the log lacks version 2"
    assert world.placement.trouble_in(1) == f"{STOPPED}the log lacks version 2"
    assert (world.placement.trouble_in(0), world.placement.stops) == (None, {1: "the log lacks version 2"})
    world.now += 5.0
    assert world.due() == [1]
    world.place_all()
    assert (world.placement.trouble(), world.placement.stops) == (None, {})


def test_a_stop_that_only_waits_for_something_is_no_trouble_for_readiness_but_says_why() -> None:
    world = World(0, 1)
    world.place_all()
    world.placement.stop(1, Stop(42, "due in a minute", 60.0, is_loud=False))
    assert (world.placement.trouble(), world.placement.stops) == (None, {})
    assert world.placement.trouble_in(1) == "due in a minute"
    assert world.due() == []


@pytest.mark.parametrize("kind", ["wait", "stop"])
def test_after_an_operator_did_something_nobody_waits_any_longer(kind: str) -> None:
    world = World(0, 1)
    world.place_all()
    if kind == "wait":
        world.placement.wait("too much fails", 3600.0)
    else:
        for partition in (0, 1):
            world.placement.stop(partition, Stop(42, "a hole", 3600.0))
    world.placement.look_again()
    assert (world.due(), world.placement.stops) == ([0, 1], {})


def test_revoked_partitions_are_neither_read_nor_due_and_their_stops_are_forgotten() -> None:
    world = World(0, 1)
    world.place_all()
    world.placement.stop(1, Stop(42, "a hole", 3600.0))
    world.placement.revoke()
    assert (world.placement.placed, world.placement.stops, world.due()) == ({}, {}, [])
    assert world.placement.trouble() == "the consumer group is rebalancing"
    world.placement.assign([tp(1)])
    assert world.due() == [1]


_steps = st.one_of(
    st.tuples(st.just("assign"), st.sets(st.integers(0, 4), min_size=1)),
    st.tuples(st.just("revoke"), st.none()),
    st.tuples(st.just("wait"), st.floats(0, 10)),
    st.tuples(st.just("stop"), st.tuples(st.integers(0, 4), st.floats(0, 10), st.booleans())),
    st.tuples(st.just("place"), st.integers(0, 4)),
    st.tuples(st.just("pass"), st.floats(0, 6)),
    st.tuples(st.just("look_again"), st.none()),
)


@given(steps=st.lists(_steps, max_size=30))
def test_in_any_order_of_what_happens_a_partition_is_read_or_due_or_says_why_not(steps: list[object]) -> None:
    world, waits_until, stopped_until = World(), 0.0, dict[int, float]()
    placement = world.placement
    for name, argument in steps:  # type: ignore[misc]
        before = dict(placement.placed)
        match name:
            case "assign":
                placement.assign([tp(one) for one in argument])
                waits_until, stopped_until = world.now, {}
            case "revoke":
                placement.revoke()
                waits_until, stopped_until = world.now, {}
            case "wait":
                placement.wait("a while", argument)
                waits_until = world.now + argument
            case "stop":
                partition, seconds, is_loud = argument
                if placement.assigned is not None and tp(partition) in placement.assigned:
                    placement.stop(partition, Stop(1, "a hole", seconds, is_loud))
                    stopped_until[partition] = world.now + seconds
            case "place":
                placed = [one for one in world.due() if one <= argument]
                placement.place(dict.fromkeys(placed, LOG_ID))
                for one in placed:
                    stopped_until.pop(one, None)
            case "pass":
                world.now += argument
                assert placement.placed == before, "time alone places and unplaces nothing"
            case "look_again":
                placement.look_again()
                waits_until, stopped_until = 0.0, {}
        _holds(world, waits_until, stopped_until)


def _holds(world: World, waits_until: float, stopped_until: dict[int, float]) -> None:
    placement, due = world.placement, world.due()
    assigned = {one.partition for one in placement.assigned or ()}
    # What is read is ours, and is neither due nor stopped.
    assert placement.placed.keys() <= assigned
    assert not placement.placed.keys() & (set(due) | stopped_until.keys())
    # What is due is exactly what is ours, not read, and has waited long enough.
    assert due == [
        one for one in sorted(assigned - placement.placed.keys())
        if world.now >= max(waits_until, stopped_until.get(one, 0.0))
    ]  # fmt: skip
    for one in assigned:
        assert (placement.trouble_in(one) is None) == (one in placement.placed)
    # Readiness is silent only when everything is read, or waits for something that is due later.
    silent = set(stopped_until) - placement.stops.keys()
    is_quiet = placement.assigned is not None and assigned == placement.placed.keys() | silent
    assert (placement.trouble() is None) == is_quiet
