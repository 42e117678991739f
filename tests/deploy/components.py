"""The base together with components, as an overlay that lists them renders."""

import copy
import os
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import yaml

from tests.deploy.kustomization import Manifest

KUSTOMIZE = Path(__file__).parents[2] / "deploy" / "kustomize"
COMPONENTS = sorted(file.parent.name for file in (KUSTOMIZE / "components").glob("*/kustomization.yaml"))


def rendered_with(*components: str) -> list[Manifest]:
    """All objects, new ones at each call."""
    return copy.deepcopy(_rendered(*components))


@cache
def _rendered(*components: str) -> list[Manifest]:
    with tempfile.TemporaryDirectory() as place:
        paths = [os.path.relpath(KUSTOMIZE / "components" / name, place) for name in components]
        overlay = {"resources": [os.path.relpath(KUSTOMIZE / "base", place)], "components": paths}
        (Path(place) / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
        text = subprocess.run(
            ["kubectl", "kustomize", place], check=True, capture_output=True, text=True
        ).stdout
    return list(yaml.safe_load_all(text))
