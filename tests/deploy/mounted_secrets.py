"""The files of Secrets in a container: which Secret and key is behind each path."""

from collections.abc import Iterator
from typing import NamedTuple

from tests.deploy.kustomization import Manifest


class SecretFile(NamedTuple):
    """One file; a pod starts without one that is optional."""

    path: str
    secret: str
    key: str
    is_optional: bool


def secret_files(template: Manifest) -> Iterator[SecretFile]:
    """All that the only container of a pod mounts, from plain and from projected volumes."""
    (container,) = template["spec"]["containers"]
    places = {mount["name"]: mount["mountPath"] for mount in container.get("volumeMounts", [])}
    for volume in template["spec"].get("volumes", []):
        sources = [
            *({"name": one["secretName"], **one} for one in [volume.get("secret")] if one),
            *(source["secret"] for source in volume.get("projected", {}).get("sources", [])),
        ]
        for source in sources:
            for item in source["items"]:
                path = f"{places[volume['name']]}/{item['path']}"
                yield SecretFile(path, source["name"], item["key"], source.get("optional", False))
