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
    assert world.placement.trouble() == "partition 1 stopped: the log lacks version 2", (
        "tried, not yet past it"
    )
    world.placement.reach({0: 100, 1: 42})
    assert world.placement.stops == {1: "the log lacks version 2"}
    world.placement.reach({1: 43})
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
    st.tuples(st.just("reach"), st.tuples(st.integers(0, 4), st.integers(1, 2))),
    st.tuples(st.just("pass_by"), st.floats(0, 6)),
    st.tuples(st.just("look_again"), st.none()),
)


@given(steps=st.lists(_steps, max_size=30))
def test_in_any_order_of_what_happens_a_partition_is_read_or_due_or_says_why_not(steps: list[object]) -> None:
    world, model = World(), Model()
    for name, argument in steps:  # type: ignore[misc]
        before = dict(world.placement.placed)
        model.now = world.now
        getattr(model, name)(world, argument)
        if name == "pass_by":
            assert world.placement.placed == before, "time alone places and unplaces nothing"
        _holds(world, model)


class Model:
    """What each step means: until when all wait, until when each stops, and which stops are being tried."""

    def __init__(self) -> None:
        self.now = 0.0
        self.forget(0.0)

    def forget(self, waits_until: float) -> None:
        self.waits_until, self.stopped_until, self.tried = waits_until, dict[int, float](), set[int]()

    def assign(self, world: World, partitions: set[int]) -> None:
        world.placement.assign([tp(one) for one in partitions])
        self.forget(self.now)

    def revoke(self, world: World, _: None) -> None:
        world.placement.revoke()
        self.forget(self.now)

    def wait(self, world: World, seconds: float) -> None:
        world.placement.wait("a while", seconds)
        self.waits_until = self.now + seconds

    def stop(self, world: World, what: tuple[int, float, bool]) -> None:
        partition, seconds, is_loud = what
        if world.placement.assigned is not None and tp(partition) in world.placement.assigned:
            world.placement.stop(partition, Stop(1, "a hole", seconds, is_loud))
            self.stopped_until[partition] = self.now + seconds
            self.tried.discard(partition)

    def place(self, world: World, partition_max: int) -> None:
        placed = [one for one in world.due() if one <= partition_max]
        world.placement.place(dict.fromkeys(placed, LOG_ID))
        for one in placed:
            self.stopped_until.pop(one, None)
        self.tried.update(one for one in placed if one in world.placement.stops)

    def reach(self, world: World, what: tuple[int, int]) -> None:
        partition, next_offset = what
        world.placement.reach({partition: next_offset})
        if partition in world.placement.placed and next_offset > 1:
            self.tried.discard(partition)

    def pass_by(self, world: World, seconds: float) -> None:
        world.now += seconds

    def look_again(self, world: World, _: None) -> None:
        world.placement.look_again()
        self.forget(0.0)


def _holds(world: World, model: Model) -> None:
    placement, due = world.placement, world.due()
    assigned = {one.partition for one in placement.assigned or ()}
    # What is read is ours, and is neither due nor stopped.
    assert placement.placed.keys() <= assigned
    assert not placement.placed.keys() & (set(due) | model.stopped_until.keys())
    # What is due is exactly what is ours, not read, and has waited long enough.
    assert due == [
        one for one in sorted(assigned - placement.placed.keys())
        if world.now >= max(model.waits_until, model.stopped_until.get(one, 0.0))
    ]  # fmt: skip
    for one in assigned:
        assert (placement.trouble_in(one) is None) == (one in placement.placed.keys() - model.tried)
    # A stop lasts, also through tries, until it is passed.
    assert model.tried <= placement.stops.keys() <= model.tried | model.stopped_until.keys()
    # Readiness is silent only when everything is read, or waits for something that is due later.
    silent = set(model.stopped_until) - placement.stops.keys()
    is_quiet = (
        placement.assigned is not None and not model.tried and assigned == placement.placed.keys() | silent
    )
    assert (placement.trouble() is None) == is_quiet
