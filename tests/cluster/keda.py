"""KEDA in its namespace `keda`, from its own manifests."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.cluster.kubectl import ANYWHERE, kubectl, objects, rendered, run

_NAMESPACE = "--namespace=keda"
# All of config/default but the admission webhooks, which are a third program.
_PARTS = ("crd", "general", "rbac", "manager", "metrics-server", "service_account")


class Keda(NamedTuple):
    """KEDA_SOURCE: the folder of its Go module. Its cmd/operator and cmd/adapter are the programs."""

    source: Path
    operator: str
    adapter: str


def found_keda() -> Keda | None:
    """None if a variable is missing or names nothing."""
    source = Path(os.environ.get("KEDA_SOURCE") or "/nowhere")
    operator, adapter = (
        shutil.which(os.environ.get(f"KEDA_{name}") or "") for name in ("OPERATOR", "ADAPTER")
    )
    return Keda(source, operator, adapter) if (source / "config").is_dir() and operator and adapter else None


@contextmanager
def keda(tag: str) -> Iterator[None]:
    """KEDA runs inside the block. Its programs are files of the node, its pods have our image."""
    found = found_keda()
    assert found is not None
    manifest = _manifest(found, f"product-catalogue/query-api:{tag}")
    try:
        # The definitions are too large for the annotation that a plain apply writes.
        kubectl(ANYWHERE, "apply", "--server-side", "--filename=-", given=manifest)
        kubectl(ANYWHERE, "wait", "--for=condition=Established", "crd/scaledobjects.keda.sh", "--timeout=60s")
        for deployment in ("keda-operator", "keda-metrics-apiserver"):
            kubectl(_NAMESPACE, "rollout", "status", f"deployment/{deployment}", "--timeout=180s")
        yield
    finally:
        # Its definitions go first: the operator has to let go of each ScaledObject.
        run(ANYWHERE, "delete", "--ignore-not-found", "crd", "scaledobjects.keda.sh", seconds_max=120)
        run(ANYWHERE, "delete", "--ignore-not-found", "--filename=-", given=manifest)


def _manifest(found: Keda, image: str) -> str:
    programs = {
        "keda-operator": ("/keda", found.operator),
        "keda-metrics-apiserver": ("/keda-adapter", found.adapter),
    }
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(found.source / "config", Path(folder) / "config")
        kustomization = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [f"config/{part}" for part in _PARTS],
            "patches": [
                {"patch": yaml.safe_dump(_with_program(name, *of_it, image))}
                for name, of_it in programs.items()
            ],
        }
        (Path(folder) / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
        return rendered(Path(folder))


def _with_program(deployment: str, path: str, program: str, image: str) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": deployment, "namespace": "keda"},
        "spec": {
            "template": {
                "spec": {
                    "volumes": [{"name": "program", "hostPath": {"path": program, "type": "File"}}],
                    "containers": [
                        {
                            "name": deployment,
                            "image": image,
                            "imagePullPolicy": "IfNotPresent",
                            "volumeMounts": [{"name": "program", "mountPath": path, "readOnly": True}],
                        }
                    ],
                }
            }
        },
    }


def must_be_scaled_by_keda() -> None:
    """For `eventually_blocking`: KEDA has asked the broker for each trigger, and got an answer."""
    (scaled,) = objects("scaledobjects")
    status = scaled.get("status", {})  # absent until KEDA has looked at it
    conditions = {one["type"]: one["status"] for one in status.get("conditions", [])}
    assert conditions.get("Ready") == "True", status
    health = status.get("health", {})
    assert len(health) == len(scaled["spec"]["triggers"]), status
    assert all(one["status"] == "Happy" for one in health.values()), status
