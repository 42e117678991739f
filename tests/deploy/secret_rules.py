"""Policies about Secrets: what a store of secrets fills is what the processes read."""

from collections.abc import Iterator, Sequence

from tests.deploy.kustomization import Manifest
from tests.deploy.workload_rules import of_kind, pods


def external_secrets(objects: Sequence[Manifest]) -> Iterator[str]:
    """One for each key that a process must have, each kept if the store loses it, and none besides."""
    made = set()
    for one in of_kind(objects, "ExternalSecret"):
        target = one["spec"]["target"]
        made |= {(target["name"], item["secretKey"]) for item in one["spec"]["data"]}
        if target.get("deletionPolicy") != "Retain":
            yield f"{target['name']}: a mistake in the store would stop pods"
    if made:
        needed = set(needed_keys(objects))
        yield from (f"{name}: {key} is in no store" for name, key in sorted(needed - made))
        yield from (f"{name}: {key} is read by nobody" for name, key in sorted(made - needed))


def needed_keys(objects: Sequence[Manifest]) -> Iterator[tuple[str, str]]:
    """(Secret, key) of each secret without which a container does not start."""
    for _, template, container in pods(objects):
        for variable in container.get("env", []):
            reference = variable.get("valueFrom", {}).get("secretKeyRef", {"optional": True})
            if not reference.get("optional"):
                yield reference["name"], reference["key"]
        for volume in template["spec"].get("volumes", []):
            for source in volume.get("projected", {}).get("sources", []):
                secret = source.get("secret", {"optional": True})
                if not secret.get("optional"):
                    yield from ((secret["name"], item["key"]) for item in secret["items"])
