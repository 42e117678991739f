"""How many pods of each process there may be, whoever decides it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tests.deploy.kustomization import Manifest

# Kind of autoscaler -> its fields for the fewest and the most pods.
_BOUNDS = {
    "HorizontalPodAutoscaler": ("minReplicas", "maxReplicas"),
    "ScaledObject": ("minReplicaCount", "maxReplicaCount"),
}


class Scale(NamedTuple):
    """`owners` have decided: autoscalers by kind, or `replicas` of the Deployment."""

    fewest: int
    most: int
    owners: tuple[str, ...]


def autoscaled(objects: Sequence[Manifest]) -> Iterator[tuple[str, str, Manifest]]:
    """(Deployment, kind of autoscaler, its spec) of every autoscaler."""
    for one in objects:
        if one["kind"] in _BOUNDS:
            yield one["spec"]["scaleTargetRef"]["name"], one["kind"], one["spec"]


def scales(objects: Sequence[Manifest]) -> dict[str, Scale]:
    """By Deployment."""
    found = {}
    for one in objects:
        if one["kind"] != "Deployment":
            continue
        name, fixed = one["metadata"]["name"], one["spec"].get("replicas")
        owners, bounds = [], []
        if fixed is not None:
            owners.append("replicas")
            bounds.append((fixed, fixed))
        for scaled, kind, spec in autoscaled(objects):
            if scaled == name:
                owners.append(kind)
                fewest, most = _BOUNDS[kind]
                bounds.append((spec[fewest], spec[most]))
        lowest = min((fewest for fewest, _ in bounds), default=0)
        found[name] = Scale(lowest, max((most for _, most in bounds), default=0), tuple(owners))
    return found
