"""docker-compose.yml in two parts: the system, and what the profile `observe` adds to watch it."""

from pathlib import Path

import yaml

from tests.deploy.kustomization import Manifest

ROOT = Path(__file__).parents[2]


def system() -> Manifest:
    """What always starts."""
    return _part(is_observing=False)


def observers() -> Manifest:
    """What a profile adds."""
    return _part(is_observing=True)


def _part(*, is_observing: bool) -> Manifest:
    compose: Manifest = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    # Anchors are shared objects: a fault that a test puts into one service would be one in all.
    compose["services"] = {
        name: yaml.safe_load(yaml.safe_dump(service))
        for name, service in compose["services"].items()
        if ("profiles" in service) == is_observing
    }
    return compose
