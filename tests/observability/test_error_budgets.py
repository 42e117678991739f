"""Each error budget raises an alert in each window, and only if it burns faster than the window allows."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.observability.alert_case import Case, Counter, unit_test
from tests.observability.promtool import run_rule_tests
from tests.observability.rule_files import PROMETHEUS, alerts, objectives, rules

_RULES = str(PROMETHEUS / "rules" / "objectives.yml")
_ALL = 600.0
"""Requests in a minute."""
_HOUR, _DAY = 60, 1440


class _Burn(NamedTuple):
    """How fast the budget is used in the harmless time and in the fault, for how long, and when it clears."""

    window: str
    severity: str
    harmless: float
    fault: float
    minutes: int
    clears: int
    evaluation: str


_BURNS = [
    _Burn("1h", "page", 13.5, 15.5, 70, 10, "1m"),
    _Burn("6h", "page", 5.5, 6.5, 6 * _HOUR + 10, 40, "1m"),
    _Burn("1d", "ticket", 2.7, 3.3, _DAY + 60, 3 * _HOUR, "10m"),
    _Burn("3d", "ticket", 0.9, 1.1, 3 * _DAY + 60, 7 * _HOUR, "10m"),
]


def _failing(job: str) -> Callable[[Sequence[float]], list[Counter]]:
    name = f'http_server_request_duration_seconds_count{{job="{job}",route="/v1/products",'

    def series(bad: Sequence[float]) -> list[Counter]:
        return [
            Counter(f'{name}status="200"}}', *(_ALL - each for each in bad)),
            Counter(f'{name}status="503"}}', *bad),
        ]

    return series


def _late(name: str, labels: str, bound: str) -> Callable[[Sequence[float]], list[Counter]]:
    def series(bad: Sequence[float]) -> list[Counter]:
        return [
            Counter(f"{name}_count{{{labels}}}", _ALL, _ALL, _ALL),
            Counter(f'{name}_bucket{{{labels},le="{bound}"}}', *(_ALL - each for each in bad)),
        ]

    return series


_HTTP = "http_server_request_duration_seconds"
_SERIES: dict[str, Callable[[Sequence[float]], list[Counter]]] = {
    "command-availability": _failing("command-api"),
    "command-latency": _late(_HTTP, 'job="command-api",route="/v1/products",status="201"', "0.25"),
    "query-availability": _failing("query-api"),
    "query-latency": _late(_HTTP, 'job="query-api",route="/v1/products",status="200"', "0.1"),
    "freshness": _late("projection_freshness_seconds", 'projection="product_view"', "2.0"),
    "delivery": _late("relay_delivery_seconds", 'job="relay"', "1.0"),
}


def _budget(objective: str) -> float:
    (expr,) = (
        rule.expr for rule in rules() if rule.record == "slo:budget:ratio" and rule.labels["slo"] == objective
    )
    return float(expr.removeprefix("vector(").removesuffix(")"))


def test_every_objective_is_tried() -> None:
    assert set(_SERIES) == set(objectives())


@pytest.mark.parametrize(
    ("objective", "burn"),
    # The rules of the windows do not ask which objective it is: one objective tries all, the others one.
    [
        *((objective, _BURNS[0]) for objective in _SERIES),
        *(("command-availability", burn) for burn in _BURNS[1:]),
    ],
    ids=lambda value: value if isinstance(value, str) else value.window,
)
def test_a_budget_that_burns_too_fast_raises_the_alert_of_the_window(
    objective: str, burn: _Burn, tmp_path: Path
) -> None:
    budget = _budget(objective)
    bad = [0.0, burn.harmless * budget * _ALL, burn.fault * budget * _ALL]
    minutes = (60, burn.minutes, burn.minutes, burn.clears)
    series = _SERIES[objective](bad)
    firing = {"alertname": "ErrorBudgetBurns", "slo": objective, "window": burn.window}
    labels = ",".join(
        f'{name}="{value}"'
        for name, value in {**firing, "alertstate": "firing", "severity": burn.severity}.items()
    )
    ends = [60, 60 + burn.minutes, 60 + 2 * burn.minutes, sum(minutes)]
    fires = [False, False, True, False]
    run_rule_tests(
        tmp_path,
        {
            "rule_files": [_RULES],
            "evaluation_interval": burn.evaluation,
            "tests": [
                {
                    "interval": "1m",
                    "input_series": [
                        {"series": each.series, "values": each.samples(minutes)} for each in series
                    ],
                    "promql_expr_test": [
                        {
                            "expr": f'ALERTS{{alertstate="firing",window="{burn.window}"}}',
                            "eval_time": f"{end - 10}m",
                            "exp_samples": [{"labels": f"ALERTS{{{labels}}}", "value": 1}] if fire else [],
                        }
                        for end, fire in zip(ends, fires, strict=True)
                    ],
                }
            ],
        },
    )


def test_the_alert_of_a_budget_says_which_and_how_fast(tmp_path: Path) -> None:
    labels = {"slo": "query-availability", "window": "1h"}
    says = (
        "In the last 1h it was used 20.0 times as fast as it may be. "
        "At a factor of 14.4 the budget of 30 days lasts 2 days."
    )
    series = _failing("query-api")([0.0, 0.0, 20 * _budget(labels["slo"]) * _ALL])
    case = Case("ErrorBudgetBurns", series, labels, says, "page", minutes=(5, _DAY, 70, 10))
    (rule,) = (rule for rule in alerts() if rule.labels.get("window") == "1h")
    run_rule_tests(tmp_path, unit_test(case, rule, _RULES))


@pytest.mark.parametrize(("requests_a_minute", "fires"), [(1, False), (3, True)])
def test_few_requests_raise_no_alert(requests_a_minute: int, fires: bool, tmp_path: Path) -> None:
    """All fail; 60 in the hour are too few to say anything, 180 are enough."""
    name = 'http_server_request_duration_seconds_count{job="query-api",status="503"}'
    series = Counter(name, *([requests_a_minute] * 3))
    labels = 'alertname="ErrorBudgetBurns",alertstate="firing",slo="query-availability",window="1h"'
    run_rule_tests(
        tmp_path,
        {
            "rule_files": [_RULES],
            "evaluation_interval": "1m",
            "tests": [
                {
                    "interval": "1m",
                    "input_series": [{"series": series.series, "values": series.samples((120, 0, 0, 0))}],
                    "promql_expr_test": [
                        {
                            "expr": f"count(ALERTS{{{labels}}})",
                            "eval_time": "119m",
                            "exp_samples": [{"labels": "{}", "value": 1}] if fires else [],
                        }
                    ],
                }
            ],
        },
    )


@pytest.mark.parametrize(
    ("minutes", "windows"),
    [
        (20, []),
        (60, ["1h"]),
        (200, ["1h", "6h"]),
        (740, ["1d", "1h", "6h"]),
        (2200, ["1d", "1h", "3d", "6h"]),
    ],
)
def test_a_new_system_is_not_said_to_have_been_bad_for_days(
    minutes: int, windows: list[str], tmp_path: Path
) -> None:
    """It fails 2 % of its requests from its first minute on, which is 20 times the budget."""
    bad = 20 * _budget("command-availability") * _ALL
    series = _failing("command-api")([bad, bad, bad])
    firing = 'ALERTS{alertstate="firing",slo="command-availability"}'
    run_rule_tests(
        tmp_path,
        {
            "rule_files": [_RULES],
            "evaluation_interval": "10m",
            "tests": [
                {
                    "interval": "1m",
                    "input_series": [
                        {"series": each.series, "values": each.samples((minutes + 1, 0, 0, 0))}
                        for each in series
                    ],
                    "promql_expr_test": [
                        {
                            "expr": f"count by (window) ({firing})",
                            "eval_time": f"{minutes}m",
                            "exp_samples": [
                                {"labels": f'{{window="{window}"}}', "value": 1} for window in windows
                            ],
                        }
                    ],
                }
            ],
        },
    )
