"""Outcomes and percentiles of values that can be counted by hand."""

import pytest

from tests.load.latencies import Outcomes, milliseconds, percentile, together


@pytest.mark.parametrize(("percent", "value"), [(50, 5), (90, 9), (91, 10), (99, 10), (100, 10), (1, 1)])
def test_a_percentile_is_the_smallest_value_that_so_many_values_do_not_exceed(
    percent: float, value: int
) -> None:
    assert percentile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], percent) == value


def test_nothing_measured_has_no_percentile() -> None:
    assert percentile([], 99) is None
    assert milliseconds([]) == {"p50": None, "p90": None, "p99": None, "p99.9": None, "max": None}


def test_one_slow_answer_of_a_thousand_shows_in_the_highest_percentile_and_in_the_maximum() -> None:
    seconds = [0.001] * 999 + [2.0]
    assert milliseconds(seconds) == {"p50": 1.0, "p90": 1.0, "p99": 1.0, "p99.9": 1.0, "max": 2000.0}
    assert milliseconds([*seconds, 2.0])["p99.9"] == 2000.0


def test_each_answer_counts_once_by_what_it_means() -> None:
    outcomes = Outcomes()
    answers = (
        (200, "", False), (201, "", False), (304, "", False), (429, "too-many-requests", True),
        (503, "overloaded", True), (503, "overloaded", False), (404, "not-found", False),
        (500, "internal-error", False),
    )  # fmt: skip
    for status, code, has_retry_after in answers:
        outcomes.count(status, code, 0.5, has_retry_after=has_retry_after)
    outcomes.fail("no answer in time")
    figures = outcomes.figures()
    assert (figures["requests"], figures["admitted"], figures["shed"], figures["errors"]) == (9, 3, 3, 3)
    assert figures["shed_by_code"] == {"429 too-many-requests": 1, "503 overloaded": 2}
    assert figures["shed_without_retry_after"] == 1
    assert figures["errors_by_code"] == {"404 not-found": 1, "500 internal-error": 1, "no answer in time": 1}


def test_the_kinds_together_have_every_outcome() -> None:
    reads, commands = Outcomes(), Outcomes()
    reads.count(200, "", 0.1, has_retry_after=False)
    commands.count(503, "overloaded", 0.2, has_retry_after=True)
    commands.fail("connection lost")
    both = together({"by-id": reads, "create": commands})
    assert both.answered == 3
    assert both.shed_codes == {"503 overloaded": 1}
    assert both.errors == {"connection lost": 1}
