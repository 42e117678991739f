"""Every metric and label in a rule, board or runbook is declared in the code, or is a stated exporter's."""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from prometheus_client import REGISTRY

from docs.generate.metrics import areas, declared_in
from shared.ops.metrics.declare import Declared
from tests.observability.queries import Selector, selectors
from tests.observability.rule_files import exporters, rules
from tests.observability.written_queries import board_queries, written_queries

_OF_PROMETHEUS = frozenset({"job", "instance"})
_OF_ALERTS = frozenset({"alertname", "alertstate", "severity"})


class _Known(NamedTuple):
    """The labels of one series name, and the values of those that are listed in full."""

    labels: frozenset[str]
    values: dict[str, frozenset[str]]


def _series_of(declared: Declared) -> Iterator[tuple[str, _Known]]:
    labels = frozenset(label.name for label in declared.labels) | _OF_PROMETHEUS
    values = {label.name: frozenset(label.values) for label in declared.labels if label.values}
    if declared.kind != "histogram":
        yield declared.name, _Known(labels, values)
        return
    yield f"{declared.name}_sum", _Known(labels, values)
    yield f"{declared.name}_count", _Known(labels, values)
    bounds = frozenset([*(str(float(bound)) for bound in declared.buckets), "+Inf"])
    yield f"{declared.name}_bucket", _Known(labels | {"le"}, {**values, "le": bounds})


def _known() -> dict[str, _Known]:
    known = dict(
        itertools.chain.from_iterable(_series_of(each) for area in areas() for each in declared_in(area))
    )
    for family in REGISTRY.collect():
        for sample in family.samples:
            known.setdefault(sample.name, _Known(frozenset(sample.labels) | _OF_PROMETHEUS, {}))
    for rule in rules():
        if rule.record:
            # The name begins with the label that it has.
            known[rule.record] = _Known(frozenset({rule.record.partition(":")[0]}), {})
    known["ALERTS"] = _Known(_OF_ALERTS | {"slo", "window", *_OF_PROMETHEUS}, {})
    return known


_KNOWN = _known()
_FOREIGN = frozenset(name for names in exporters().values() for name in names)


def _complaints(selector: Selector) -> Iterator[str]:
    if selector.metric in _FOREIGN:
        return
    if selector.metric not in _KNOWN:
        yield f"{selector.metric} is not exported"
        return
    known = _KNOWN[selector.metric]
    for label in sorted(selector.labels - known.labels):
        yield f"{selector.metric} has no label {label}"
    for label, value in selector.values:
        if value not in known.values.get(label, frozenset({value})):
            yield f"{selector.metric}: {label} is never {value!r}"


def _complaints_about(query: str) -> list[str]:
    return [complaint for selector in selectors(query) for complaint in _complaints(selector)]


def test_every_metric_and_label_in_rules_boards_and_runbooks_exists() -> None:
    written = list(written_queries())
    assert len(written) > 100
    wrong = {
        (each.where, each.query): complaints
        for each in written
        if (complaints := _complaints_about(each.query))
    }
    assert wrong == {}


def test_every_foreign_name_is_used() -> None:
    used = {selector.metric for each in written_queries() for selector in selectors(each.query)}
    assert _FOREIGN - used == set()


def test_every_metric_of_ours_is_on_a_board_or_in_a_rule() -> None:
    """Otherwise nobody looks at it when it says something."""
    looked_at = {
        selector.metric
        for query in [*(each.query for each in board_queries()), *(rule.expr for rule in rules())]
        for selector in selectors(query)
    }
    unseen = [
        declared.name
        for area in areas()
        for declared in declared_in(area)
        if looked_at.isdisjoint(series for series, _ in _series_of(declared))
    ]
    assert unseen == []


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("sum(relay_actve)", "relay_actve is not exported"),
        ('relay_active{projection="x"}', "relay_active has no label projection"),
        ("sum by (topic) (relay_active)", "relay_active has no label topic"),
        ('cache_requests_total{result="stale"}', "cache_requests_total: result is never 'stale'"),
        ('relay_delivery_seconds_bucket{le="1"}', "relay_delivery_seconds_bucket: le is never '1'"),
        ("a_x / on (b) relay_active", "a_x is not exported"),
        (
            'up and on (b) label_replace(relay_active, "b", "$1", "c", "(.+)")',
            "relay_active has no label c",
        ),
    ],
)
def test_a_name_that_does_not_exist_is_noticed(query: str, complaint: str) -> None:
    assert complaint in _complaints_about(query)
