"""The report of a part whose figures can be counted by hand, and when a run does not count."""

from array import array

import pytest

from tests.load.generator import Measured
from tests.load.latencies import Outcomes
from tests.load.live import line
from tests.load.plan import Plan
from tests.load.processes import Usage
from tests.load.report import Part, document, problems_of
from tests.load.report_text import markdown
from tests.load.sampler import Sample
from tests.load.trend import trend_of

PLAN = Plan(seconds=10, rates={"create": 1}, seed=7)
MIB = 1024 * 1024


def sample(at_seconds: float, processor_seconds: float, memory_mib: int, lag_events: int | None) -> Sample:
    usage = {"command-api": Usage(processor_seconds, memory_mib * MIB, 20, 10)}
    return Sample(at_seconds, usage, lag_events, None if lag_events is None else lag_events / 10, 1000)


def answered(count: int, *, seconds: float = 0.01) -> Outcomes:
    outcomes = Outcomes()
    for _ in range(count):
        outcomes.count(200, "", seconds, has_retry_after=False)
    return outcomes


def measured(name: str = "mix", late_seconds: float = 0.001) -> Measured:
    shed = answered(400)
    shed.count(503, "overloaded", 0.02, has_retry_after=True)
    return Measured(
        name, 10.0, {"create": 500, "by-id": 401}, {"create": answered(500), "by-id": shed},
        array("d", [late_seconds] * 100),
    )  # fmt: skip


def test_processor_time_is_divided_by_the_admitted_commands_and_reads() -> None:
    part = Part(measured(), [sample(0, 5.0, 80, 3), sample(5, 6.0, 120, 40), sample(10, 7.0, 100, 0)])
    cost = document(PLAN, [part], [], [], "make load")["parts"][0]["processes"]["command-api"]
    assert cost == {
        "processor_seconds": 2.0,
        "cores": 0.2,
        "processor_seconds_per_1000_commands": 4.0,
        "processor_seconds_per_1000_reads": 5.0,
        "memory_mib": 100.0,
        "memory_mib_max": 120.0,
    }


def test_the_reads_of_tokens_do_not_count_as_reads_where_commands_are_alone() -> None:
    alone = Measured(
        "commands alone", 10.0, {"create": 500}, {"create": answered(500), "token-read": answered(100)}
    )
    part = Part(alone, [sample(0, 5.0, 80, 0), sample(10, 7.0, 80, 0)])
    cost = document(PLAN, [part], [], [], "make load")["parts"][0]["processes"]["command-api"]
    assert cost["processor_seconds_per_1000_reads"] is None


def test_the_lag_is_the_greatest_of_all_samples_and_the_last() -> None:
    part = Part(measured(), [sample(0, 5.0, 80, 3), sample(5, 6.0, 80, 40), sample(10, 7.0, 80, None)])
    lag = document(PLAN, [part], [], [], "make load")["parts"][0]["lag"]
    assert lag == {
        "events_max": 40, "seconds_max": 4.0, "events_at_end": None, "seconds_at_end": None,
        "samples_without_lag": 1,
    }  # fmt: skip


def test_a_generator_that_is_on_time_makes_a_valid_run() -> None:
    assert problems_of(measured(), PLAN) == []


def test_a_late_generator_makes_the_run_invalid() -> None:
    assert problems_of(measured(late_seconds=0.2), PLAN) == [
        "mix: the generator was late, p99 200 ms (at most 50 ms)"
    ]


def test_requests_that_were_not_sent_make_the_run_invalid() -> None:
    broken = measured()
    broken.outcomes["create"].fail("not sent: the generator has too many requests under way")
    (problem,) = problems_of(broken, PLAN)
    assert "has not sent 1 requests" in problem
    report = document(PLAN, [Part(broken, [])], [], [], "make load")
    assert not report["is_valid"]
    assert "**Not valid**" in markdown(report)


def test_the_tables_show_each_kind_the_refusals_and_the_processes_without_figures() -> None:
    part = Part(measured(), [sample(0, 5.0, 80, 3), sample(10, 7.0, 100, 0)])
    grown = trend_of(
        "relay: memory, MiB", [(float(at), 10.0 * at) for at in range(20)], share_max=0.1, growth_min=1
    )
    text = markdown(document(PLAN, [part], [grown], ["kafka"], "make load"))
    assert "| create | 500 | 500 | 0 | 0 | 10 |" in text
    assert "503 overloaded: 1" in text
    assert "| command-api | 2 | 0.2 | 4 | 5 | 100 | 100 |" in text
    assert "| relay: memory, MiB |" in text
    assert "GROWS" in text
    assert "kafka" in text


@pytest.mark.parametrize(
    ("newest", "shown"),
    [(None, "lag ?"), (sample(1, 1, 1, None), "lag ?"), (sample(1, 1, 1, 12), "lag 12 events, 1.2 s")],
)
def test_the_live_line_tells_an_unknown_lag_from_none(newest: Sample | None, shown: str) -> None:
    told = line("mix", 3, 2.0, 100, answered(90), newest)
    assert "offered     50/s, admitted     45/s | p50 10.0, p99 10.0 ms | shed 0, errors 0" in told
    assert told.endswith(shown)
