"""Policies about what pods take from nodes: who goes first, and whether all of it fits."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from tests.deploy.kustomization import Manifest, find
from tests.deploy.processes import FINISHING, JOBS, ON_DEMAND
from tests.deploy.scales import scales
from tests.deploy.workload_rules import of_kind, pods, stem

# The first goes first.
_CLASSES = ("migration", "write", "read", "background")
_CLASS_OF = {
    "command-api": "write",
    "relay": "write",
    "query-api": "read",
    "projector": "read",
    "verify": "background",
    "operator": "read",
    "replay": "background",
    "archive-log": "background",
    **dict.fromkeys((*JOBS, *FINISHING), "migration"),
}
_UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


def priorities(objects: Sequence[Manifest]) -> Iterator[str]:
    """On a full node a migration comes before what waits for it, and writes come before reads."""
    values = {one["metadata"]["name"]: one["value"] for one in of_kind(objects, "PriorityClass")}
    ours = [values.get(f"product-catalogue-{name}", 0) for name in _CLASSES]
    if not all(first > second for first, second in pairwise([*ours, 0])):
        yield f"the order of priorities is {values}"
    for name, template, _ in pods(objects):
        wanted = f"product-catalogue-{_CLASS_OF[name]}"
        if template["spec"].get("priorityClassName") != wanted:
            yield f"{name}: its priority is not {wanted}"


def quota(objects: Sequence[Manifest]) -> Iterator[str]:
    """All processes at full scale, one more pod of each, and all jobs fit, but not twice as much."""
    limit = find(objects, "ResourceQuota", "product-catalogue")["spec"]
    counted = {name for one in limit["scopeSelector"]["matchExpressions"] for name in one["values"]}
    if counted != {one["metadata"]["name"] for one in of_kind(objects, "PriorityClass")}:
        yield f"the quota counts {sorted(counted)}"
    for resource, needed in needed_at_most(objects).items():
        allowed = amount(limit["hard"]["pods" if resource == "pods" else f"requests.{resource}"])
        if not needed <= allowed < 2 * needed:
            yield f"{resource}: {needed:g} are needed, the quota is {allowed:g}"
    if limit["hard"]["limits.memory"] != limit["hard"]["requests.memory"]:
        yield "memory that is asked for is not memory that may be used"


def needed_at_most(objects: Sequence[Manifest]) -> dict[str, float]:
    """Pods, CPU (cores) and memory (bytes) of everything at full scale while all of it is rolled out, with
    one job of each kind.
    """
    return _needed(objects, {name: scale.most for name, scale in scales(objects).items()})


def needed_at_least(objects: Sequence[Manifest]) -> dict[str, float]:
    """The same for as many pods as there are without load, and without an operator who makes jobs."""
    fewest = {name: scale.fewest for name, scale in scales(objects).items()}
    return _needed([one for one in objects if one["metadata"]["name"] not in ON_DEMAND], fewest)


def _needed(objects: Sequence[Manifest], counts: Mapping[str, int]) -> dict[str, float]:
    surges = {
        one["metadata"]["name"]: counts[one["metadata"]["name"]]
        + one["spec"]["strategy"]["rollingUpdate"]["maxSurge"]
        for one in of_kind(objects, "Deployment")
    }
    needed = {"pods": 0.0, "cpu": 0.0, "memory": 0.0}
    for name, _, container in pods(objects):
        count = surges.get(name, 1)
        asked = container["resources"]["requests"]
        needed["pods"] += count
        needed["cpu"] += count * amount(asked["cpu"])
        needed["memory"] += count * amount(asked["memory"])
    return needed


def amount(quantity: str) -> float:
    """A quantity of Kubernetes as a number: `250m` is 0.25, `1Ki` is 1024."""
    if quantity.endswith("m"):
        return int(quantity[:-1]) / 1000
    return float(quantity[:-2]) * _UNITS[quantity[-2:]] if quantity[-2:] in _UNITS else float(quantity)


def release(objects: Sequence[Manifest]) -> Iterator[str]:
    """A job has the release in its name, because it cannot be changed; images and labels are of it, too."""
    for one in of_kind(objects, "Job"):
        version = one["metadata"]["labels"].get("app.kubernetes.io/version")
        if version is None or one["metadata"]["name"] != f"{stem(one)}.{version}":
            yield f"{one['metadata']['name']}: is not the job of the release {version}"
    for name, template, container in pods(objects):
        version = template["metadata"]["labels"].get("app.kubernetes.io/version")
        if container["image"].partition(":")[2].partition("@")[0] != version:
            yield f"{name}: {container['image']} is not of the release {version}"
