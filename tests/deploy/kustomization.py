"""Renders our Kustomize folders without kubectl, so that the policies are checked wherever Python runs.

It knows the features that we use and refuses all others; where kubectl exists, a test compares the two. One
difference is wanted: generated names have no hash at the end.
"""

import base64
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]

_KNOWN = {
    "apiVersion", "kind", "namespace", "resources", "labels", "configMapGenerator", "secretGenerator",
    "images", "patches",
}  # fmt: skip


def render(folder: Path) -> list[Manifest]:
    """All objects of the folder. Raises ValueError for a feature that is not known here."""
    kustomization = _load(folder / "kustomization.yaml")[0]
    unknown = kustomization.keys() - _KNOWN
    if unknown:
        raise ValueError(f"{folder}: not rendered by these tests: {', '.join(sorted(unknown))}")
    objects: list[Manifest] = []
    for name in kustomization.get("resources", []):
        path = folder / name
        objects += render(path) if path.is_dir() else _load(path)
    for kind, field in (("ConfigMap", "configMapGenerator"), ("Secret", "secretGenerator")):
        for generator in kustomization.get(field, []):
            _generate(kind, generator, objects, folder)
    for patch in kustomization.get("patches", []):
        _patch(patch, objects)
    for labels in kustomization.get("labels", []):
        _label(labels, objects)
    for image in kustomization.get("images", []):
        _set_image(image, objects)
    if "namespace" in kustomization:
        for one in objects:
            if one["kind"] != "Namespace":
                one["metadata"]["namespace"] = kustomization["namespace"]
    return objects


def pod_template(one: Manifest) -> Manifest | None:
    """The pods that an object makes, or None."""
    spec = one.get("spec", {})
    template: Manifest | None = spec.get("jobTemplate", {}).get("spec", spec).get("template")
    return template


def _load(file: Path) -> list[Manifest]:
    return [document for document in yaml.safe_load_all(file.read_text()) if document]


def _generate(kind: str, generator: Manifest, objects: list[Manifest], folder: Path) -> None:
    if generator.keys() - {"name", "behavior", "literals", "files"}:
        raise ValueError(f"not rendered by these tests: {generator}")
    data = dict(literal.split("=", 1) for literal in generator.get("literals", []))
    data |= {name: (folder / name).read_text() for name in generator.get("files", [])}
    if kind == "Secret":
        data = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    if generator.get("behavior", "create") == "merge":
        find(objects, kind, generator["name"])["data"].update(data)
        return
    made: Manifest = {"apiVersion": "v1", "kind": kind, "metadata": {"name": generator["name"]}, "data": data}
    objects.append(made | ({"type": "Opaque"} if kind == "Secret" else {}))


def _patch(patch: Manifest, objects: Iterable[Manifest]) -> None:
    for one in objects:
        if all(one.get(key) == value for key, value in patch["target"].items()):
            for operation in yaml.safe_load(patch["patch"]):
                if operation["op"] != "replace":
                    raise ValueError(f"not rendered by these tests: {operation}")
                *parents, last = operation["path"].strip("/").split("/")
                place = one
                for parent in parents:
                    place = place[parent]
                place[last] = operation["value"]


def _label(labels: Manifest, objects: Iterable[Manifest]) -> None:
    if labels["includeSelectors"]:
        raise ValueError("not rendered by these tests: includeSelectors")
    for one in objects:
        places = [one]
        template = pod_template(one)
        if labels.get("includeTemplates") and template is not None:
            places.append(template)
            # Of a CronJob the job that it makes is labelled, too.
            places += [one["spec"]["jobTemplate"]] if "jobTemplate" in one["spec"] else []
        for place in places:
            place.setdefault("metadata", {}).setdefault("labels", {}).update(labels["pairs"])


def _set_image(image: Manifest, objects: Iterable[Manifest]) -> None:
    for one in objects:
        for container in (pod_template(one) or {}).get("spec", {}).get("containers", []):
            name = container["image"].split(":")[0]
            if name == image["name"]:
                container["image"] = f"{image.get('newName', name)}:{image['newTag']}"


def find(objects: Iterable[Manifest], kind: str, name: str) -> Manifest:
    """The one object of that kind and name. Raises LookupError."""
    for one in objects:
        if one["kind"] == kind and one["metadata"]["name"] == name:
            return one
    raise LookupError(f"there is no {kind} {name}")
