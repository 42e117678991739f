"""A sum over a family of processes stays right while members begin and end."""

from collections.abc import Callable, Sequence

import psutil
import pytest

from tests.benchmarks.process_usage import Reading, processor_seconds, spent, steady, total_seconds

PARENT, SESSION, OTHER = 10, 11, 12


def reading_in_turn(*results: Sequence[Reading]) -> Callable[[], Sequence[Reading]]:
    left = list(results)
    return lambda: left.pop(0)


def test_the_time_of_an_ended_child_is_counted_once() -> None:
    before = [Reading(PARENT, 1.0, 0.0), Reading(SESSION, 5.0, 0.0)]
    after = [Reading(PARENT, 1.5, 5.25)]
    assert total_seconds(after) - total_seconds(before) == 0.75


def test_a_child_that_began_meanwhile_counts_whole() -> None:
    before = [Reading(PARENT, 1.0, 0.0)]
    after = [Reading(PARENT, 1.0, 0.0), Reading(SESSION, 2.0, 0.0)]
    assert total_seconds(after) - total_seconds(before) == 2.0


def test_a_reading_during_which_a_child_ended_is_taken_again() -> None:
    both = [Reading(PARENT, 1.0, 0.0), Reading(SESSION, 5.0, 0.0), Reading(OTHER, 1.0, 0.0)]
    # The parent was read before the session ended, and the session was gone when its turn came.
    lost = [Reading(PARENT, 1.0, 0.0), Reading(OTHER, 1.0, 0.0)]
    ended = [Reading(PARENT, 1.0, 5.0), Reading(OTHER, 1.0, 0.0)]
    assert total_seconds(steady(reading_in_turn(both, lost, ended, ended))) == 7.0


def test_a_family_that_never_rests_is_an_error() -> None:
    seconds = iter(range(1000))
    with pytest.raises(RuntimeError, match="during each of"):
        steady(lambda: [Reading(PARENT, 1.0, float(next(seconds)))])


def test_each_part_has_what_it_spent() -> None:
    assert spent({"relay": 1.0, "broker": 7.0}, {"relay": 1.5, "broker": 7.0}) == {
        "relay": 0.5,
        "broker": 0.0,
    }


def test_a_part_that_has_ended_is_an_error() -> None:
    ended = psutil.Popen(["true"])
    ended.wait()
    with pytest.raises(psutil.NoSuchProcess):
        processor_seconds({"relay": ended.pid})
