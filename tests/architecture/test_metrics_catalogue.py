"""Metrics are declared in one place, with unit, meaning and labels, and named as Prometheus wants it."""

import ast
import re
from importlib import import_module

from prometheus_client.metrics import MetricWrapperBase

from docs.generate.metrics import KINDS, areas, declared_in
from shared.ops.metrics.declare import CATALOGUE
from tests.architecture.source_files import ROOT, files, imported, named, nobody

HOME = ROOT / "shared" / "ops" / "metrics"
DECLARED = [one for area in areas() for one in declared_in(area)]
_CLASSES = ("Counter", "Gauge", "Histogram", "Summary", "Info", "Enum")


def test_only_the_catalogue_makes_metrics() -> None:
    classes = {f"prometheus_client.{name}" for name in _CLASSES}
    nobody(
        f"{named(module)}: {', '.join(sorted(made))}"
        for module in files(".py")
        if module != HOME / "declare.py" and (made := imported(module) & classes)
    )


def test_metrics_are_declared_in_the_catalogues_own_modules() -> None:
    declaring = {f"shared.ops.metrics.declare.{kind}" for kind in KINDS}
    nobody(
        named(module)
        for module in files(".py")
        if not module.is_relative_to(HOME) and imported(module) & declaring
    )


def test_every_declared_metric_is_on_the_page() -> None:
    assert [one.name for one in CATALOGUE if one not in DECLARED] == []
    assert len(DECLARED) > 50


def test_a_metric_is_called_after_its_unit() -> None:
    """As Prometheus wants it: `_total` for counters alone, `_seconds` for times."""
    nobody(
        one.name
        for one in DECLARED
        if (one.kind == "counter") != one.name.endswith("_total")
        or ("seconds" in one.unit) != one.name.removesuffix("_total").endswith("_seconds")
        or not re.fullmatch(r"[a-z][a-z0-9_]+", one.name)
    )


def test_a_metric_and_its_labels_are_explained() -> None:
    nobody(
        one.name
        for one in DECLARED
        if not one.meaning.endswith(".") or not one.unit or any(not label.meaning for label in one.labels)
    )


def test_the_objectives_are_bounds_of_the_histograms_that_measure_them() -> None:
    bounds = {one.name: one.buckets for one in DECLARED}
    assert {0.1, 0.25} <= set(bounds["http_server_request_duration_seconds"])
    assert 1.0 in bounds["relay_delivery_seconds"]
    assert 2.0 in bounds["projection_freshness_seconds"]


def test_every_metric_is_set_by_some_code() -> None:
    """A declared metric that nothing sets looks like a system in which nothing happens."""
    used = {
        node.id
        for module in files(".py")
        if module.parent != HOME or module.stem == "process"
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    nobody(
        f"{area}: {name}"
        for area in areas()
        for name, value in vars(import_module(f"shared.ops.metrics.{area}")).items()
        if isinstance(value, MetricWrapperBase) and name not in used
    )
