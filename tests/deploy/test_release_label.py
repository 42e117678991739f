"""A new release changes the pods of our own workloads: no server is restarted for it."""

import shutil
from pathlib import Path

import pytest
import yaml

from deploy.release.version import of_project
from tests.deploy.components import COMPONENTS, TOGETHER
from tests.deploy.kustomization import KUSTOMIZE, Manifest, render
from tests.deploy.processes import FINISHING, JOBS, ON_DEMAND, SCHEDULED, SERVICES
from tests.deploy.workload_rules import stem

NOW, NEXT = str(of_project(KUSTOMIZE.parents[1])), "99.0.1"
OURS = {
    *(("Deployment", name) for name in SERVICES),
    *(("Job", name) for name in (*JOBS, *FINISHING)),
    *(("CronJob", name) for name in (*SCHEDULED, *ON_DEMAND)),
}
COMBINATIONS = [*((name,) for name in COMPONENTS if name != "autoscaling-keda-strimzi"), *TOGETHER]


def releases(place: Path, template_labels: str = "false") -> tuple[Path, Path]:
    """Copies of the manifests with all that they refer to: as this release, and as the next one."""
    for version in (NOW, NEXT):
        shutil.copytree(
            KUSTOMIZE.parent, place / version / "deploy", ignore=shutil.ignore_patterns("__pycache__")
        )
        release = place / version / "deploy/kustomize/components/release/kustomization.yaml"
        text = release.read_text().replace(NOW, version)
        release.write_text(text.replace("includeTemplates: false", f"includeTemplates: {template_labels}"))
    return place / NOW / "deploy/kustomize", place / NEXT / "deploy/kustomize"


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Copied once."""
    return releases(tmp_path_factory.mktemp("manifests"))


def changed(copies: tuple[Path, Path], overlay: str) -> set[tuple[str, str]]:
    """What has another specification in the next release."""
    old, new = (_specifications(render(copy / "overlays" / overlay)) for copy in copies)
    assert old.keys() == new.keys()
    return {key for key in old if old[key] != new[key]}


def _specifications(objects: list[Manifest]) -> dict[tuple[str, str], Manifest]:
    return {(one["kind"], stem(one)): one.get("spec", {}) for one in objects}


def _overlay(copies: tuple[Path, Path], components: tuple[str, ...]) -> str:
    name = "+".join(components)
    overlay = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["../../base"],
        "components": [f"../../components/{each}" for each in (*components, "release")],
    }
    for copy in copies:
        (copy / "overlays" / name).mkdir()
        (copy / "overlays" / name / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    return name


@pytest.mark.parametrize("overlay", ["production", "local"])
def test_a_new_release_changes_our_own_pods_alone(copies: tuple[Path, Path], overlay: str) -> None:
    assert changed(copies, overlay) == OURS


@pytest.mark.parametrize("components", COMBINATIONS, ids="+".join)
def test_with_each_component_a_new_release_changes_our_own_pods_alone(
    copies: tuple[Path, Path], components: tuple[str, ...]
) -> None:
    assert changed(copies, _overlay(copies, components)) == OURS


def test_a_label_in_every_template_would_restart_the_servers(tmp_path: Path) -> None:
    spoiled = releases(tmp_path, template_labels="true")
    servers = changed(spoiled, _overlay(spoiled, ("redis", "opensearch"))) - OURS
    assert servers == {("Deployment", "redis"), ("StatefulSet", "opensearch")}
