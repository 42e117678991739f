"""The sums of the suite `cost`, and what its tables tell: figures as values, without a system."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.benchmarks.cost_run import OPEN_LOOPS, SATURATION, Cost, CostRun
from tests.benchmarks.cost_sheet import busy_lines, cost_lines, idle_lines, picture_lines
from tests.benchmarks.mixed_commands import Outcome
from tests.benchmarks.saturation import has_nothing_left
from tests.benchmarks.whole_system import BROKER, PARTS, POSTGRES, REDIS

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def a_run(milliseconds: float) -> CostRun:
    by_part = dict.fromkeys(PARTS, milliseconds)
    outcome = Outcome(answered=[4.0] * 100, visible=[1.0, 2.0, 9.0])
    by_load = {each.name: Cost(by_part, 0.5, outcome) for each in OPEN_LOOPS}
    by_load[SATURATION] = Cost(by_part, 0.5)
    return CostRun(by_part, by_part, by_load, 400.0, 2.0)


def test_idle_counts_our_processes_and_the_broker() -> None:
    idle = {**dict.fromkeys(PARTS, 1.0), BROKER: 10.0, REDIS: 100.0, POSTGRES: 1000.0}
    assert CostRun(idle, idle, {}, 400.0, 2.0).idle_total == 14.0


def test_a_cost_is_that_of_all_parts() -> None:
    assert Cost(dict.fromkeys(PARTS, 2.0), 0.0).of_taken_commands() == 14.0


def test_a_load_that_was_mostly_refused_has_no_cost() -> None:
    mostly_refused = Cost(dict.fromkeys(PARTS, 2.0), 0.0, Outcome(answered=[1.0] * 100, refused=2))
    with pytest.raises(RuntimeError, match="2 refused, 100 executed"):
        mostly_refused.of_taken_commands()


def test_one_refusal_in_a_hundred_commands_is_no_reason_to_throw_a_run_away() -> None:
    assert Outcome(answered=[1.0] * 100, refused=1).taken().commands == 100


def test_percentiles_are_of_all_commands_in_any_order() -> None:
    outcome = Outcome(visible=[9.0, 1.0, 2.0])
    assert (outcome.visible_at(50), outcome.visible_at(99)) == (2.0, 9.0)
    assert math.isnan(outcome.answered_at(50))


def test_the_sheet_has_the_median_of_the_rounds_for_each_checkout_and_load() -> None:
    lines = cost_lines([("before", [a_run(1.0), a_run(3.0), a_run(2.0)]), ("now", [])])
    assert "| 200/s | before | 14.00 | " + "2.00 | " * 7 + "4.00 | 2.00 | 9.00 | 0 | 0.50 |" in lines
    assert "| saturation | before | 14.00 | " + "2.00 | " * 7 + "- | - | - | - | 0.50 |" in lines
    assert "| 25/s | now | " + "- | " * 13 in [f"{line} " for line in lines]


def test_a_run_beside_other_work_is_no_result() -> None:
    busy = a_run(1.0)
    quiet = replace(
        busy, by_load={name: replace(each, other_cores=0.1) for name, each in busy.by_load.items()}
    )
    assert busy_lines([("now", [quiet]), ("before", [])]) == []
    assert "up to 0.5 cores" in busy_lines([("now", [quiet]), ("before", [busy])])[1]


def test_other_work_that_was_asked_for_is_no_warning() -> None:
    told = busy_lines([("now", [a_run(1.0)])], has_other_job=True)[1]
    assert "asked for" in told
    assert "quiet" not in told


def test_the_picture_has_a_bar_for_each_part_and_checkout() -> None:
    lines = picture_lines([("before", [a_run(2.0)]), ("now", [a_run(1.0)])])
    assert [line for line in lines if line.startswith(POSTGRES)] == [
        f"{POSTGRES:<11}  before  {'█' * 40} 2.00"
    ] * 2
    assert len([line for line in lines if " now " in line]) == 2 * len(PARTS)


def test_a_checkout_that_was_not_measured_is_not_in_the_picture() -> None:
    assert not any("before" in line for line in picture_lines([("before", []), ("now", [a_run(1.0)])]))


def test_the_sheet_tells_what_each_part_takes_without_load() -> None:
    assert "| MiB resident | now | " + " | ".join(["3.00"] * 7) + " |" in idle_lines([("now", [a_run(3.0)])])


@pytest.mark.parametrize(
    ("measured_at", "lag_events", "expected"),
    [
        (NOW + timedelta(seconds=1), 0, True),
        (NOW + timedelta(seconds=1), 3, False),
        (NOW + timedelta(seconds=1), None, False),
        (NOW - timedelta(seconds=1), 0, False),
        (None, 0, False),
    ],
)
def test_only_a_new_report_says_that_nothing_is_left(
    measured_at: datetime | None, lag_events: int | None, expected: bool
) -> None:
    told = None if measured_at is None else measured_at.isoformat()
    assert has_nothing_left({"measured_at": told, "lag_events": lag_events}, NOW) is expected
