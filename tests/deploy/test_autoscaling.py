"""What the autoscalers ask for exists: metrics, consumer groups, and answers of the adapter."""

import re

import yaml

from docs.generate.metrics import areas, declared_in
from projector.projections import NAMES, NOTIFICATIONS, SEARCH_INDEX
from shared.contract.addresses import topics
from tests.deploy.compose_file import ROOT
from tests.deploy.kustomization import BASE, Manifest, find, render_with

_ADAPTER = yaml.safe_load((ROOT / "deploy" / "prometheus" / "adapter.yml").read_text())


def _metrics(objects: list[Manifest], kind: str) -> list[Manifest]:
    """What autoscalers ask for by one kind of metric."""
    every = [one["spec"]["metrics"] for one in objects if one["kind"] == "HorizontalPodAutoscaler"]
    return [
        metric[kind.lower()]["metric"] for metrics in every for metric in metrics if metric["type"] == kind
    ]


def _answered(kind: str) -> set[str]:
    return {rule["name"]["as"] for rule in _ADAPTER[kind]}


def test_the_adapter_answers_what_the_autoscalers_ask() -> None:
    objects = render_with(BASE, "autoscaling-prometheus")
    assert {metric["name"] for metric in _metrics(objects, "Pods")} == _answered("rules")
    assert {metric["name"] for metric in _metrics(objects, "External")} == _answered("externalRules")


def test_the_adapter_asks_for_metrics_that_processes_have() -> None:
    known = {declared.name for area in areas() for declared in declared_in(area)}
    for rule in (*_ADAPTER["rules"], *_ADAPTER["externalRules"]):
        series = re.match(r"\w+", rule["seriesQuery"])
        assert series is not None
        assert series.group() in known


def test_every_projection_counts_and_no_other_group() -> None:
    (external,) = _metrics(render_with(BASE, "autoscaling-prometheus"), "External")
    (selector,) = external["selector"]["matchExpressions"]
    assert (selector["key"], selector["operator"]) == ("group", "In")
    assert sorted(selector["values"]) == sorted(NAMES)
    triggers = find(render_with(BASE, "autoscaling-keda"), "ScaledObject", "projector")["spec"]["triggers"]
    asked = {trigger["metadata"]["consumerGroup"]: trigger["metadata"] for trigger in triggers}
    assert sorted(asked) == sorted(NAMES)
    assert {metadata["topic"] for metadata in asked.values()} == {topics().events}
    # A new group of one begins at the end, the other is not in every installation; all others begin
    # at the beginning.
    begins_late = {name for name, metadata in asked.items() if metadata["offsetResetPolicy"] == "latest"}
    assert begins_late == {NOTIFICATIONS.name, SEARCH_INDEX.name}
