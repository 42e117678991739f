"""A new release changes the pods of our own workloads: no server is restarted for it."""

from pathlib import Path

import pytest

from deploy.release.version import of_project
from tests.deploy.components import COMPONENTS, TOGETHER
from tests.deploy.copies import RELEASE, add_overlay, changed, copied
from tests.deploy.kustomization import KUSTOMIZE
from tests.deploy.processes import FINISHING, JOBS, OF_COMPONENTS, ON_DEMAND, SCHEDULED, SERVICES

NOW, NEXT = str(of_project(KUSTOMIZE.parents[1])), "99.0.1"
OURS = {
    *(("Deployment", name) for name in SERVICES),
    *(("Job", name) for name in (*JOBS, *FINISHING)),
    *(("CronJob", name) for name in (*SCHEDULED, *ON_DEMAND)),
}
COMBINATIONS = [*((name,) for name in COMPONENTS if name != "autoscaling-keda-strimzi"), *TOGETHER]


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """This release and the next one."""
    place = tmp_path_factory.mktemp("releases")
    return copied(place / "now", {}), copied(place / "next", {RELEASE: {NOW: NEXT}})


@pytest.mark.parametrize("overlay", ["production", "local"])
def test_a_new_release_changes_our_own_pods_alone(releases: tuple[Path, Path], overlay: str) -> None:
    assert changed(*releases, overlay) == OURS


@pytest.mark.parametrize("components", COMBINATIONS, ids="+".join)
def test_with_each_component_a_new_release_changes_our_own_pods_alone(
    releases: tuple[Path, Path], components: tuple[str, ...]
) -> None:
    (overlay,) = {add_overlay(copy, (*components, "release")) for copy in releases}
    added = {("CronJob", name) for name in OF_COMPONENTS} if "log-archive" in components else set()
    assert changed(*releases, overlay) == OURS | added


def test_a_label_in_every_template_would_restart_the_servers(tmp_path: Path) -> None:
    labelled = {"includeTemplates: false": "includeTemplates: true"}
    spoiled = (
        copied(tmp_path / "now", {RELEASE: labelled}),
        copied(tmp_path / "next", {RELEASE: {**labelled, NOW: NEXT}}),
    )
    (overlay,) = {add_overlay(copy, ("redis", "opensearch", "release")) for copy in spoiled}
    assert changed(*spoiled, overlay) - OURS == {("Deployment", "redis"), ("StatefulSet", "opensearch")}
