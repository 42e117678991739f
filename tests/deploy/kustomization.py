"""Renders our Kustomize folders with the real program: policies are checked on what will be applied.

KUSTOMIZE names the program (`.ci/kustomize` prints it); otherwise `kustomize` or `kubectl` from PATH. Without
any of them the tests that need a rendering are skipped. One difference to the program's output is wanted:
generated names have no hash at the end.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

Manifest = dict[str, Any]

KUSTOMIZE = Path(__file__).parents[2] / "deploy" / "kustomize"
BASE, COMPONENTS = KUSTOMIZE / "base", KUSTOMIZE / "components"
# The letters of kustomize's hashes: hexadecimal digits, with those replaced that could spell a word.
_HASHED = re.compile(r"-[bcdfghkmt2456789]{10}$")


def render(folder: Path) -> list[Manifest]:
    """All objects of a folder, new ones at each call. Raises `CalledProcessError` for a faulty one."""
    return _objects(_rendered(folder))


def render_as_applied(folder: Path) -> list[Manifest]:
    """The same with the hashes in generated names: another Secret is another name in its pods."""
    return list(yaml.load_all(_rendered(folder), yaml.CSafeLoader))


def render_with(folder: Path, *components: str) -> list[Manifest]:
    """All objects of the folder together with components of deploy/kustomize/components."""
    return _objects(_rendered(folder, *components))


@cache
def _rendered(folder: Path, *components: str) -> str:
    if not components:
        return _run(folder)
    # Beside the sources, because the program refuses absolute paths.
    with tempfile.TemporaryDirectory() as place:
        overlay = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [_path_from(place, folder)],
            "components": [_path_from(place, COMPONENTS / name) for name in components],
        }
        (Path(place) / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
        return _run(Path(place))


def _path_from(place: str, folder: Path) -> str:
    return os.path.relpath(folder.resolve(), Path(place).resolve())


def _run(folder: Path) -> str:
    program = _program()
    if program is None:
        pytest.skip("neither kustomize nor kubectl is installed", allow_module_level=True)
    return subprocess.run([*program, folder], check=True, capture_output=True, text=True).stdout


def _program() -> list[str] | None:
    if named := os.environ.get("KUSTOMIZE"):
        return [named, "kustomize"] if Path(named).name == "kubectl" else [named, "build"]
    if found := shutil.which("kustomize"):
        return [found, "build"]
    return [found, "kustomize"] if (found := shutil.which("kubectl")) else None


def _objects(text: str) -> list[Manifest]:
    objects: list[Manifest] = list(yaml.load_all(text, yaml.CSafeLoader))
    made = {one["metadata"]["name"] for one in objects if one["kind"] in ("ConfigMap", "Secret")}
    stems = {name: _HASHED.sub("", name) for name in made if _HASHED.search(name)}
    return [_renamed(one, stems) for one in objects] if stems else objects


def _renamed(value: Any, stems: dict[str, str]) -> Any:
    match value:
        case dict():
            return {key: _renamed(inner, stems) for key, inner in value.items()}
        case list():
            return [_renamed(inner, stems) for inner in value]
        case str():
            return stems.get(value, value)
        case _:
            return value


_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob")


def pod_template(one: Manifest) -> Manifest | None:
    """The pods that an object makes, or None; what operators make is theirs."""
    if one["kind"] not in _WORKLOADS:
        return None
    spec = one.get("spec", {})
    template: Manifest | None = spec.get("jobTemplate", {}).get("spec", spec).get("template")
    return template


def find(objects: Iterable[Manifest], kind: str, name: str) -> Manifest:
    """The one object of that kind and name. Raises LookupError."""
    for one in objects:
        if one["kind"] == kind and one["metadata"]["name"] == name:
            return one
    raise LookupError(f"there is no {kind} {name}")
