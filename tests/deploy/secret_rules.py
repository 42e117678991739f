"""Policies about Secrets: what a store of secrets fills is what the processes read."""

from collections.abc import Iterator, Sequence

from tests.deploy.kustomization import Manifest
from tests.deploy.mounted_secrets import secret_files
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
        needed = {
            (file.secret, file.key)
            for _, template, _ in pods(objects)
            for file in secret_files(template)
            if not file.is_optional
        }
        yield from (f"{name}: {key} is in no store" for name, key in sorted(needed - made))
        yield from (f"{name}: {key} is read by nobody" for name, key in sorted(made - needed))
