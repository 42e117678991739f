"""The base together with components, as an overlay that lists them renders."""

from pathlib import Path

from tests.deploy import kustomization
from tests.deploy.kustomization import Manifest, render

KUSTOMIZE = Path(__file__).parents[2] / "deploy" / "kustomize"


def rendered_with(*components: str) -> list[Manifest]:
    """All objects."""
    objects = render(KUSTOMIZE / "base")
    namespace = objects[-1]["metadata"]["namespace"]
    for name in components:
        folder = KUSTOMIZE / "components" / name
        own = kustomization._load(folder / "kustomization.yaml")[0]
        for resource in own.get("resources", []):
            objects += kustomization._load(folder / resource)
        for generator in own.get("configMapGenerator", []):
            kustomization._generate("ConfigMap", generator, objects, folder)
    for one in objects:
        if one["kind"] != "Namespace":
            one["metadata"]["namespace"] = namespace
    return objects


COMPONENTS = sorted(file.parent.name for file in (KUSTOMIZE / "components").glob("*/kustomization.yaml"))
