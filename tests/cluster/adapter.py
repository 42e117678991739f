"""Prometheus and Prometheus Adapter in the namespace `monitoring`, and what the adapter answers."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.kubectl import ANYWHERE, NAMESPACE, kubectl, run
from tests.deploy.compose_file import ROOT

MONITORING = "monitoring"
_FILES = Path(__file__).parent / "scalers"
CUSTOM = f"/apis/custom.metrics.k8s.io/v1beta1/namespaces/{NAMESPACE}"
EXTERNAL = f"/apis/external.metrics.k8s.io/v1beta1/namespaces/{NAMESPACE}"


def programs() -> tuple[str, str] | None:
    """Prometheus and its adapter; None if a variable is missing."""
    found = tuple(shutil.which(os.environ.get(name) or "") for name in ("PROMETHEUS", "PROMETHEUS_ADAPTER"))
    return (found[0], found[1]) if found[0] and found[1] else None


@contextmanager
def metrics_for_autoscalers(tag: str) -> Iterator[None]:
    """The APIs of metrics are answered inside the block, from deploy/prometheus/adapter.yml unchanged."""
    with_programs = programs()
    assert with_programs is not None
    prometheus, adapter = with_programs
    manifest = (_FILES / "monitoring.yaml").read_text()
    for name, value in (
        ("NODE_PROMETHEUS", prometheus),
        ("NODE_ADAPTER", adapter),
        ("IMAGE", f"product-catalogue/query-api:{tag}"),
    ):
        manifest = manifest.replace(f" {name}", f" {value}")
    try:
        kubectl(ANYWHERE, "apply", "--filename=-", given=manifest)
        kubectl(ANYWHERE, "apply", "--filename=-", given=yaml.safe_dump(_configuration()))
        kubectl(f"--namespace={MONITORING}", "rollout", "status", "deployment/prometheus", "--timeout=120s")
        yield
    finally:
        run(ANYWHERE, "delete", "--ignore-not-found", "--wait=true", "--filename=-", given=manifest)


def _configuration() -> dict[str, Any]:
    files = [*(_FILES / name for name in ("prometheus.yaml", "discovery.py"))]
    files.append(ROOT / "deploy" / "prometheus" / "adapter.yml")
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "prometheus", "namespace": MONITORING},
        "data": {file.name: file.read_text() for file in files},
    }


def asked(path: str) -> list[Any]:
    """The items of an answer; raises AssertionError as long as the adapter does not know the metric."""
    items: list[Any] = json.loads(kubectl("get", f"--raw={path}"))["items"]
    return items
