"""Copies of the manifests with something changed in them, and what differs between two of them."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import yaml

from tests.deploy.kustomization import KUSTOMIZE, Manifest, render_as_applied
from tests.deploy.workload_rules import stem

RELEASE = "components/release/kustomization.yaml"
Changes = Mapping[str, Mapping[str, str]]
"""File below deploy/kustomize -> what stands there -> what is written instead."""


def copied(place: Path, changes: Changes) -> Path:
    """deploy/kustomize of a copy in `place`, which must not exist, beside all that it refers to."""
    shutil.copytree(KUSTOMIZE.parent, place, ignore=shutil.ignore_patterns("__pycache__"))
    for name, replacements in changes.items():
        file = place / KUSTOMIZE.name / name
        text = file.read_text()
        for old, new in replacements.items():
            assert old in text, f"{name} has no {old}"
            text = text.replace(old, new)
        file.write_text(text)
    return place / KUSTOMIZE.name


def add_overlay(copy: Path, components: tuple[str, ...]) -> str:
    """An overlay of the base with these components, and its name."""
    name = "+".join(components)
    overlay = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["../../base"],
        "components": [f"../../components/{each}" for each in components],
    }
    (copy / "overlays" / name).mkdir()
    (copy / "overlays" / name / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    return name


def changed(old: Path, new: Path, overlay: str) -> set[tuple[str, str]]:
    """(kind, name without a release) of what has another specification in the other copy."""
    before, after = (_specifications(copy / "overlays" / overlay) for copy in (old, new))
    assert before.keys() == after.keys()
    return {key for key in before if before[key] != after[key]}


def _specifications(folder: Path) -> dict[tuple[str, str], Manifest]:
    return {
        (one["kind"], stem(one)): one.get("spec", {})
        for one in render_as_applied(folder)
        if one["kind"] not in ("ConfigMap", "Secret")
    }
