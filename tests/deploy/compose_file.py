"""docker-compose.yml in three parts: the system, what the profile `observe` adds, what `search` adds."""

from pathlib import Path

import yaml

from tests.deploy.kustomization import Manifest

ROOT = Path(__file__).parents[2]


def system() -> Manifest:
    """What always starts."""
    return _part(None)


def observers() -> Manifest:
    """What watches it."""
    return _part("observe")


def search() -> Manifest:
    """The search engine."""
    return _part("search")


def _part(profile: str | None) -> Manifest:
    compose: Manifest = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    # Anchors are shared objects: a fault that a test puts into one service would be one in all.
    compose["services"] = {
        name: yaml.safe_load(yaml.safe_dump(service))
        for name, service in compose["services"].items()
        if service.get("profiles") == (None if profile is None else [profile])
    }
    return compose
