"""How metrics are declared: zeros for what is known, NaN for what is not, many values at once."""

import math
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

from shared.ops.metrics.declare import (
    CATALOGUE,
    FAST_SECONDS,
    Histogram,
    Label,
    counter,
    gauge,
    histogram,
    observe_many,
)

RESULT = Label("result", "what became of it", ("good", "bad"))
VALUES = (-1.0, 0.0, 0.0005, 0.00051, 0.1, 0.100001, 3.0, 10.0, 11.0, 1e9, 0.1)


@pytest.fixture
def name() -> str:
    return f"test_{uuid4().hex}"


@pytest.fixture(autouse=True)
def _forgotten() -> object:
    """What a test declares is no metric of ours."""
    before, declared = set(REGISTRY._collector_to_names), len(CATALOGUE)
    yield None
    for collector in set(REGISTRY._collector_to_names) - before:
        assert isinstance(collector, MetricWrapperBase)
        REGISTRY.unregister(collector)
    del CATALOGUE[declared:]


def test_a_counter_with_known_values_starts_at_zero(name: str) -> None:
    counter(f"{name}_total", "things", "Things.", RESULT, Label("kind", "which", ("a", "b")))
    for result in ("good", "bad"):
        for kind in ("a", "b"):
            assert REGISTRY.get_sample_value(f"{name}_total", {"result": result, "kind": kind}) == 0.0


@pytest.mark.parametrize(("label", "zeros"), [(RESULT, False), (Label("topic", "one of ours"), True)])
def test_a_counter_has_no_series_that_may_never_be_counted(name: str, label: Label, zeros: bool) -> None:
    counter(f"{name}_total", "things", "Things.", label, zeros=zeros)
    assert REGISTRY.get_sample_value(f"{name}_total", {label.name: "good"}) is None


def test_a_gauge_that_needs_a_question_is_unknown_until_it_is_answered(name: str) -> None:
    measured = gauge(name, "seconds", "An age.", is_unknown=True)
    assert math.isnan(REGISTRY.get_sample_value(name) or 0.0)
    measured.set(3)
    assert REGISTRY.get_sample_value(name) == 3


def test_many_values_at_once_count_like_one_after_the_other(name: str) -> None:
    one_by_one = histogram(f"{name}_one", "seconds", "Times.", buckets=FAST_SECONDS)
    at_once = histogram(f"{name}_many", "seconds", "Times.", buckets=FAST_SECONDS)
    for value in VALUES:
        one_by_one.observe(value)
    observe_many(at_once, VALUES)
    assert _samples(at_once) == _samples(one_by_one)


def _samples(of: Histogram) -> list[tuple[str, dict[str, str], float]]:
    (family,) = of.collect()
    return [(one.name.removeprefix(family.name), one.labels, one.value) for one in family.samples]
