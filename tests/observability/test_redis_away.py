"""Redis is away for 20 minutes and comes back: who is called, in every minute of it."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.observability.alert_case import Counter, Gauge
from tests.observability.promtool import run_rule_tests
from tests.observability.rule_files import RULE_FILES

_WELL, _AWAY, _AFTER = 60, 20, 60
_EVENTS = 100
"""In a minute, for each of the two views."""
_CACHE, _VIEW = 'projection="product_cache"', 'projection="product_view"'
_FRESHNESS = "projection_freshness_seconds"


def _story(hits_while_away: float) -> list[tuple[str, str]]:
    """Series and samples, one a minute. What waited is applied in the first minute after the return."""
    minutes = (_WELL, _AWAY, 0, _AFTER)
    kept = _EVENTS * _AWAY
    ages = [*([0] * _WELL), *(60 * minute for minute in range(1, _AWAY + 1)), *([0] * _AFTER)]
    counts = _sums(
        [*([_EVENTS] * _WELL), *([0] * _AWAY), _EVENTS + kept, *([_EVENTS] * (_AFTER - 1))],
    )
    fresh = _sums([*([_EVENTS] * _WELL), *([0] * _AWAY), *([_EVENTS] * _AFTER)])
    steady = _sums([_EVENTS] * sum(minutes))
    gauges: Sequence[Gauge | Counter] = [
        Gauge(f'projection_waits_for_redis{{job="projector",{_CACHE}}}', 0, 1, 0),
        Gauge('cache_breaker_open{job="query-api"}', 0, 1, 0),
        Gauge("relay_active", 1, 1, 1),
        Gauge('up{job="projector"}', 1, 1, 1),
        Counter('cache_requests_total{job="query-api",result="hit"}', 600, hits_while_away, 600),
        Counter('cache_requests_total{job="query-api",result="bypass"}', 0, 600 - hits_while_away, 0),
        Counter(f'projection_errors_total{{{_CACHE},error_class="transient"}}', 0, 40, 0),
    ]
    return [
        *((one.series, one.samples(minutes)) for one in gauges),
        (f'projection_lag_seconds{{{_CACHE},partition="1"}}', _shown(ages)),
        ('consumer_group_oldest_waiting_seconds{group="product_cache",topic="t"}', _shown(ages)),
        (f"{_FRESHNESS}_count{{{_CACHE}}}", _shown(counts)),
        (f'{_FRESHNESS}_bucket{{{_CACHE},le="2.0"}}', _shown(fresh)),
        (f"{_FRESHNESS}_count{{{_VIEW}}}", _shown(steady)),
        (f'{_FRESHNESS}_bucket{{{_VIEW},le="2.0"}}', _shown(steady)),
    ]


def _sums(each: Sequence[int]) -> list[int]:
    return [sum(each[: place + 1]) for place in range(len(each))]


def _shown(values: Sequence[int]) -> str:
    return " ".join(map(str, values))


def _run(folder: Path, hits_while_away: float, expected: Sequence[dict[str, object]]) -> None:
    story = _story(hits_while_away)
    test = {
        "interval": "1m",
        "input_series": [{"series": series, "values": values} for series, values in story],
        "promql_expr_test": expected,
    }
    run_rule_tests(
        folder, {"rule_files": list(map(str, RULE_FILES)), "evaluation_interval": "30s", "tests": [test]}
    )


def _firing(minute: int, *names: str, which: str = 'severity="page"') -> dict[str, object]:
    """`ProcessMissing` is left out: the story has no processes."""
    return {
        "expr": f'group by (alertname) (ALERTS{{alertstate="firing",alertname!="ProcessMissing",{which}}})',
        "eval_time": f"{minute}m",
        "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in names],
    }


def test_while_readers_are_served_from_postgresql_there_is_one_ticket_and_no_page(tmp_path: Path) -> None:
    pages = [_firing(minute) for minute in range(_WELL + _AWAY + _AFTER)]
    ticket = _firing(_WELL + 15, "CacheDown", which='severity="ticket"')
    _run(tmp_path, 0, [*pages, ticket, _firing(_WELL + _AWAY + 20, which='severity="ticket"')])


@pytest.mark.parametrize("hits_a_minute", [6, 300])
def test_while_readers_still_get_documents_from_redis_somebody_is_called(
    hits_a_minute: int, tmp_path: Path
) -> None:
    late = _firing(_WELL + 15, "ConsumerGroupLate", "ProjectionLate")
    # What was old for 20 minutes counts against the objective.
    burns = _firing(_WELL + _AWAY + 3, "ErrorBudgetBurns")
    _run(tmp_path, hits_a_minute, [late, burns])
