"""How long changes are gathered: longer while they do not end."""

from math import inf

from shared.ops.concurrency.burst_pace import BurstPace, Pauses


def test_the_pause_doubles_while_changes_do_not_end_and_is_short_after_a_quiet_one() -> None:
    pace = BurstPace(Pauses(1.0, 4.0))
    assert pace.after_round(quiet_seconds=inf) == 1.0
    assert [pace.after_round(quiet_seconds=0.1) for _ in range(3)] == [2.0, 4.0, 4.0]
    assert pace.after_round(quiet_seconds=4.0) == 1.0


def test_batches_that_come_less_often_than_the_first_pause_ends_are_changes_that_do_not_end() -> None:
    pace = BurstPace(Pauses(0.25, 1.0))
    assert pace.after_round(quiet_seconds=inf) == 0.25
    assert [pace.after_round(quiet_seconds=0.4) for _ in range(3)] == [0.5, 1.0, 1.0]


def test_a_longest_pause_below_the_first_counts_as_the_first() -> None:
    pace = BurstPace(Pauses(1.0, 0.5))
    assert [pace.after_round(quiet_seconds=seconds) for seconds in (inf, 0.1)] == [1.0, 1.0]
