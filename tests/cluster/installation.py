"""deploy/kustomize/trial on the cluster of KUBECONFIG: applied, waited for, changed, and removed again."""

import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.kubectl import NAMESPACE, is_ready, kubectl, objects, one, pods, rendered, run
from tests.deploy.compose_file import ROOT
from tests.deploy.processes import FINISHING
from tests.eventually import eventually_blocking

PROCESSES = ("command-api", "relay", "projector", "query-api")
IMAGES = ("command-api", "query-api", "projector")
_RELEASE = Path("deploy/kustomize/components/release/kustomization.yaml")
_CLAIMS = {"postgres": "data-postgres-0", "kafka": "data-kafka-0"}


def why_no_cluster() -> str:
    """Why the trials cannot run, or nothing."""
    if os.environ.get("TEST_CLUSTER") != "1":
        return "TEST_CLUSTER is not 1"
    answer = run("get", "--raw=/readyz", seconds_max=30)
    return "" if answer.returncode == 0 else f"TEST_CLUSTER is 1, but kubectl says: {answer.stderr.strip()}"


class Installation:
    """deploy/kustomize/trial, changed by a trial in a copy below `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def apply(self, tag: str, *, further: Mapping[str, Any] | None = None, is_waiting: bool = True) -> float:
        """Apply a release; returns the seconds until all of it was ready.

        `tag` is that of our three images; `further` goes into the kustomization, for example `patches`.
        """
        started = time.monotonic()
        kubectl("apply", "--filename=-", given=self.manifests(tag, further))
        if is_waiting:
            self.wait_until_ready()
        return time.monotonic() - started

    def manifests(self, tag: str, further: Mapping[str, Any] | None = None) -> str:
        """The release as `kubectl apply` gets it. The tag is written where `make release` writes it."""
        manifests = self._folder / "deploy" / "kustomize"
        if not manifests.exists():
            for part in ("kustomize", "local"):
                shutil.copytree(ROOT / "deploy" / part, self._folder / "deploy" / part)
        present = ROOT / _RELEASE
        version = yaml.safe_load(present.read_text())["images"][0]["newTag"]
        (self._folder / _RELEASE).write_text(present.read_text().replace(version, tag))
        release = manifests / "changed"
        release.mkdir(exist_ok=True)
        kustomization = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": ["../trial"],
            **(further or {}),
        }
        (release / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
        return rendered(release)

    def wait_until_ready(self, seconds_max: float = 400) -> None:
        """Until each Deployment has rolled out, and no pod of the release before is left."""
        for process in PROCESSES:
            kubectl("rollout", "status", f"deployment/{process}", f"--timeout={seconds_max:.0f}s",
                    seconds_max=seconds_max + 10)  # fmt: skip
        eventually_blocking(must_be_settled, seconds_max)

    def finish(self, tag: str) -> None:
        """Let the release remove from the schema what only the one before it needed."""
        for job in FINISHING:
            kubectl("patch", "job", f"{job}.{tag}", "--patch", '{"spec": {"suspend": false}}')
        for job in FINISHING:
            kubectl("wait", f"job/{job}.{tag}", "--for=condition=complete", "--timeout=120s")

    def remove(self) -> None:
        """The namespace and its volumes."""
        kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=true", seconds_max=300)
        for server in _CLAIMS:
            kubectl("delete", "persistentvolume", f"trial-{server}", "--ignore-not-found")


def must_be_settled() -> None:
    """For `eventually_blocking`: each process has as many ready pods as it wants, and no other."""
    for process in PROCESSES:
        wanted = one("deployment", process)["spec"]["replicas"]
        every = objects("pods", f"--selector=app.kubernetes.io/name={process}")
        assert len(every) == wanted, f"{process}: {len(every)} pods, {wanted} wanted"
        assert all(is_ready(pod) for pod in pods(process)), f"{process}: a pod is not ready"


def make_volumes(folder: Path, node: str) -> None:
    """Volumes on the one node, for a cluster whose storage class makes folders that belong to root."""
    for server, claim in _CLAIMS.items():
        place = folder / server
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        volume = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": f"trial-{server}"},
            "spec": {
                "capacity": {"storage": "2Gi"},
                "accessModes": ["ReadWriteOnce"],
                "persistentVolumeReclaimPolicy": "Retain",
                "storageClassName": "standard",
                "claimRef": {"namespace": NAMESPACE, "name": claim},
                "local": {"path": str(place)},
                "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
                    {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}]}},
            },
        }  # fmt: skip
        kubectl("apply", "--filename=-", given=yaml.safe_dump(volume))
