"""The schedule of faults is a function of its seed, and every fault ends."""

import pytest

from tests.chaos.schedule import KINDS, LINKS, Planned, kinds_named, schedule

ALL = list(KINDS)


def plan(seed: int, seconds: float = 600.0) -> list[Planned]:
    return schedule(seed, seconds, ALL, every_seconds=2.5)


def test_the_same_seed_makes_the_same_schedule_and_another_one_does_not() -> None:
    assert plan(42) == plan(42)
    assert plan(42) != plan(43)


@pytest.mark.parametrize("seed", range(20))
def test_every_kind_comes_and_all_are_over_in_time(seed: int) -> None:
    faults = plan(seed, 120.0)
    assert {fault.kind for fault in faults} == KINDS.keys()
    assert all(fault.at + fault.hold <= 120.0 for fault in faults)


@pytest.mark.parametrize("seed", range(20))
def test_a_target_is_never_broken_twice_at_the_same_time(seed: int) -> None:
    over_at: dict[str, float] = {}
    for fault in plan(seed):
        assert fault.at > over_at.get(fault.target, 0.0), fault
        over_at[fault.target] = fault.at + fault.hold
    assert len(over_at) > 10


def test_every_link_and_every_process_has_its_turn_in_a_long_run() -> None:
    targets = {fault.target for fault in plan(1, 1800.0)}
    assert targets == {target for kind in KINDS.values() for target in kind.targets}
    assert set(LINKS) <= targets


def test_kinds_are_chosen_by_name_or_by_the_beginning_of_it() -> None:
    assert kinds_named("kill,redis") == ["kill", "redis-flush", "redis-older", "redis-kill", "redis-pause"]
    with pytest.raises(ValueError, match="no fault 'fire'"):
        kinds_named("kill,fire")
    assert {fault.kind for fault in schedule(1, 60, ["kill"], every_seconds=2)} == {"kill"}
    assert schedule(1, 60, [], every_seconds=2) == []


def test_faults_can_be_limited_to_some_targets() -> None:
    targets = {fault.target for fault in schedule(1, 900, ALL, every_seconds=2, on=["relay", "kafka"])}
    relays = {f"relay-{number}{link}" for number in (1, 2) for link in ("", ">postgres", ">kafka")}
    assert targets == {"kafka", *relays}
