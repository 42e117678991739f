"""The collector's configuration is complete, fits the fields that we log, and its workload is confined."""

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from docs.generate.logs import FIXED_FIELDS

HOME = Path(__file__).parents[2] / "deploy" / "logs"
COLLECTOR: dict[str, Any] = yaml.safe_load((HOME / "collector.yaml").read_text())
WORKLOADS: list[dict[str, Any]] = list(yaml.safe_load_all((HOME / "daemonset.yaml").read_text()))
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


def test_the_fields_that_it_reads_are_fields_that_we_write() -> None:
    operators = yaml.safe_dump(COLLECTOR["receivers"]["file_log"]["operators"])
    read = set(re.findall(r"attributes\.(\w+)", operators))
    assert read == {"time", "level", "event", "process", "trace_id", "span_id"}
    assert read <= FIXED_FIELDS.keys()


def test_every_variable_has_a_default_and_is_explained_and_no_other_is_set() -> None:
    text = (HOME / "collector.yaml").read_text()
    names = set(_VARIABLE.findall(text))
    assert len(re.findall(r"\$\{env:\w+:-", text)) == len(_VARIABLE.findall(text))
    explained = (HOME / "README.md").read_text()
    assert [name for name in names if f"`{name}`" not in explained] == []
    compose = yaml.safe_load((HOME / "compose.yaml").read_text())["services"]["log-collector"]["environment"]
    assert {*compose, *(one["name"] for one in _container()["env"])} <= names


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


def _container() -> dict[str, Any]:
    (container,) = WORKLOADS[1]["spec"]["template"]["spec"]["containers"]
    found: dict[str, Any] = container
    return found
