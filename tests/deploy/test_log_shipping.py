"""The collector's configuration is complete, fits the fields that we log, and its workload is confined."""

import re
from typing import Any

import kubernetes_validate
import pytest
import yaml

from docs.generate.logs import FIXED_FIELDS
from tests.deploy.compose_file import ROOT, observers, system
from tests.deploy.kustomization import Manifest, find, render

HOME = ROOT / "deploy" / "logs"
COLLECTOR: dict[str, Any] = yaml.safe_load((HOME / "collector.yaml").read_text())
WORKLOADS: list[dict[str, Any]] = list(yaml.safe_load_all((HOME / "daemonset.yaml").read_text()))
PROCESSES_NAMESPACE: Manifest = yaml.safe_load((ROOT / "deploy/kustomize/base/namespace.yaml").read_text())
KUBERNETES = "1.35"
_VARIABLE = re.compile(r"\$\{env:(\w+)")


@pytest.mark.parametrize("kind", ["receivers", "processors", "exporters"])
def test_every_part_is_in_a_pipeline_and_every_pipeline_has_its_parts(kind: str) -> None:
    used = {part for pipeline in COLLECTOR["service"]["pipelines"].values() for part in pipeline[kind]}
    assert used == COLLECTOR[kind].keys()
    assert set(COLLECTOR["service"]["extensions"]) == COLLECTOR["extensions"].keys()


def test_memory_is_limited_before_anything_else_is_done() -> None:
    for pipeline in COLLECTOR["service"]["pipelines"].values():
        assert pipeline["processors"][0] == "memory_limiter"
    limit_mib = COLLECTOR["processors"]["memory_limiter"]["limit_mib"]
    assert limit_mib < int(_container()["resources"]["limits"]["memory"].removesuffix("Mi"))
    assert limit_mib < int(_in_compose()["mem_limit"].removesuffix("m"))


def test_the_fields_that_it_reads_are_fields_that_we_write() -> None:
    operators = yaml.safe_dump(COLLECTOR["receivers"]["file_log"]["operators"])
    read = set(re.findall(r"attributes\.(\w+)", operators))
    assert read == {"time", "level", "event", "process", "trace_id", "span_id", "attrs"}
    assert read - {"attrs"} <= FIXED_FIELDS.keys()


def test_the_labels_that_it_reads_are_labels_that_docker_adds() -> None:
    operators = COLLECTOR["receivers"]["file_log"]["operators"]
    read = set(re.findall(r'"(com\.docker\.[\w.]+)"', "".join(map(str, operators))))
    assert read == set(system()["services"]["relay"]["logging"]["options"]["labels"].split(","))


def test_it_reads_the_logs_of_the_namespace_that_the_processes_have() -> None:
    namespace = PROCESSES_NAMESPACE["metadata"]["name"]
    (files,) = COLLECTOR["receivers"]["file_log"]["include"]
    assert files == f"${{env:LOG_FILES:-/var/log/pods/{namespace}_*/*/*.log}}"


def test_every_variable_has_a_default_and_is_explained_and_no_other_is_set() -> None:
    text = (HOME / "collector.yaml").read_text()
    names = set(_VARIABLE.findall(text))
    assert len(re.findall(r"\$\{env:\w+:-", text)) == len(_VARIABLE.findall(text))
    explained = (HOME / "README.md").read_text()
    assert [name for name in names if f"`{name}`" not in explained] == []
    assert {*_in_compose()["environment"], *(one["name"] for one in _container()["env"])} <= names


def test_compose_and_kubernetes_have_the_same_collector() -> None:
    assert f":-{_container()['image']}}}" in _in_compose()["image"]


def test_the_service_leads_to_where_the_collector_takes_traces_on_the_same_node() -> None:
    service = find(render(HOME), "Service", "log-collector")
    (port,) = service["spec"]["ports"]
    (container_port,) = [one for one in _container()["ports"] if one["name"] == port["targetPort"]]
    endpoint = COLLECTOR["receivers"]["otlp"]["protocols"]["http"]["endpoint"]
    assert endpoint == f"0.0.0.0:{port['port']}" == f"0.0.0.0:{container_port['containerPort']}"
    assert service["spec"]["internalTrafficPolicy"] == "Local"
    assert service["spec"]["selector"] == _daemonset()["spec"]["selector"]["matchLabels"]
    address = f"http://log-collector.{service['metadata']['namespace']}:{port['port']}"
    assert address in (ROOT / "deploy/kustomize/README.md").read_text()


def test_its_namespace_allows_what_that_of_the_catalogue_forbids() -> None:
    """Pod Security `restricted` forbids hostPath and root, so it cannot be beside the processes."""
    own = find(render(HOME), "Namespace", "catalogue-logs")
    level = "pod-security.kubernetes.io/enforce"
    assert (PROCESSES_NAMESPACE["metadata"]["labels"][level], own["metadata"]["labels"][level]) == (
        "restricted",
        "privileged",
    )
    assert find(render(HOME), "DaemonSet", "log-collector")["metadata"]["namespace"] == "catalogue-logs"


@pytest.mark.parametrize("manifest", WORKLOADS, ids=lambda manifest: manifest["kind"])
def test_the_manifests_are_valid(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_the_collector_can_read_the_logs_and_change_nothing_but_its_own_folder() -> None:
    security = _container()["securityContext"]
    assert security["readOnlyRootFilesystem"]
    assert not security["allowPrivilegeEscalation"]
    assert security["capabilities"] == {"drop": ["ALL"]}
    writable = [one["name"] for one in _container()["volumeMounts"] if not one.get("readOnly")]
    assert writable == ["state"]


def _in_compose() -> Manifest:
    found: Manifest = observers()["services"]["collector"]
    return found


def _daemonset() -> Manifest:
    return next(workload for workload in WORKLOADS if workload["kind"] == "DaemonSet")


def _container() -> dict[str, Any]:
    (container,) = _daemonset()["spec"]["template"]["spec"]["containers"]
    found: dict[str, Any] = container
    return found
