"""Policies about what the component `monitoring` brings: known names, sizes that can be applied."""

import json
from collections.abc import Iterator, Sequence

import yaml

from deploy.grafana.boards import DASHBOARDS
from deploy.prometheus.configuration import CONFIGURATION, FOLDER
from deploy.prometheus.rule_objects import rule_objects
from tests.deploy.kustomization import Manifest
from tests.deploy.workload_rules import of_kind

# kubectl keeps the applied object in an annotation, which may have so many bytes.
_APPLIED_BYTES_MAX = 262_144


def jobs(objects: Sequence[Manifest]) -> Iterator[str]:
    """Exactly the jobs of prometheus.yml, each by a port that its Service has."""
    wanted = {one["job_name"] for one in yaml.safe_load(CONFIGURATION.read_text())["scrape_configs"]}
    for monitor in of_kind(objects, "ServiceMonitor"):
        (rule,) = monitor["spec"]["selector"]["matchExpressions"]
        if monitor["spec"].get("jobLabel") != rule["key"] or set(rule["values"]) != wanted:
            yield f"jobs: {sorted(wanted ^ set(rule['values']))}"
        for service in of_kind(objects, "Service"):
            if service["metadata"]["labels"].get(rule["key"]) in rule["values"]:
                ports = {port["name"] for port in service["spec"]["ports"]}
                if any(endpoint["port"] not in ports for endpoint in monitor["spec"]["endpoints"]):
                    yield f"Service {service['metadata']['name']} has no such port"


def renamed_metrics(objects: Sequence[Manifest]) -> Iterator[str]:
    """A metric gets only names that rules and boards use (exporters.yml)."""
    names = {
        name for group in yaml.safe_load((FOLDER / "exporters.yml").read_text()).values() for name in group
    }
    for monitor in of_kind(objects, "PodMonitor"):
        for endpoint in monitor["spec"]["podMetricsEndpoints"]:
            for rule in endpoint.get("metricRelabelings", []):
                if rule.get("targetLabel") == "__name__" and rule["replacement"] not in names:
                    yield f"{rule['replacement']} is used by nobody"


def rules(objects: Sequence[Manifest]) -> Iterator[str]:
    """Every rule of deploy/prometheus/rules, unchanged."""
    has = {one["metadata"]["name"]: one["spec"] for one in of_kind(objects, "PrometheusRule")}
    wanted = {one["metadata"]["name"]: one["spec"] for one in rule_objects()}
    if of_kind(objects, "ServiceMonitor") and has != wanted:
        yield f"rules differ from deploy/prometheus/rules: {sorted(has.keys() ^ wanted.keys())}"


def boards(objects: Sequence[Manifest]) -> Iterator[str]:
    """Every board, where Grafana's sidecar finds it."""
    found = {
        name: text
        for one in of_kind(objects, "ConfigMap")
        if one["metadata"].get("labels", {}).get("grafana_dashboard") == "1"
        for name, text in one["data"].items()
    }
    wanted = {file.name: file.read_text() for file in DASHBOARDS.glob("*.json")}
    if of_kind(objects, "ServiceMonitor") and found != wanted:
        yield f"boards: {sorted(found.keys() ^ wanted.keys())}"


def sizes(objects: Sequence[Manifest]) -> Iterator[str]:
    """`kubectl apply` can apply each object."""
    for one in objects:
        if len(json.dumps(one)) > 0.9 * _APPLIED_BYTES_MAX:
            yield f"{one['kind']} {one['metadata']['name']} is too large for kubectl apply"
