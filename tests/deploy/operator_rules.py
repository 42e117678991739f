"""Policies about the containers that operators make in our namespace: no object of ours has them."""

from collections.abc import Iterator, Mapping, Sequence

from tests.deploy.custom_resources import is_custom
from tests.deploy.kustomization import Manifest

# Kind -> the fields with the resources of containers. `*` stands for each item of a list. An instance's
# init containers and jobs (first start, join, restore) take those of its Cluster, a restore's sidecar those
# of its ObjectStore, and Strimzi's init container those of its pool.
_RESOURCES: Mapping[str, tuple[str, ...]] = {
    "Cluster": ("resources",),
    "ObjectStore": ("instanceSidecarConfiguration/resources",),
    "Pooler": ("template/spec/containers/*/resources",),
    "Kafka": (
        "entityOperator/topicOperator/resources",
        "entityOperator/userOperator/resources",
        "kafkaExporter/resources",
    ),
    "KafkaNodePool": ("resources",),
}
# More containers of a kind that we do not ask for: without resources each would be a silent one.
_NOT_ASKED_FOR = {"Kafka": ("cruiseControl",)}
# Their operators make no container in our namespace, or one whose size is a setting of the operator itself:
# the proxies of a Gateway, the solver of a Certificate.
_WITHOUT_CONTAINERS = {
    "Certificate", "ExternalSecret", "Gateway", "HTTPRoute", "Issuer", "KafkaTopic", "KafkaUser",
    "PodMonitor", "PrometheusRule", "ScaledObject", "ScheduledBackup", "ServiceMonitor",
    "TriggerAuthentication",
}  # fmt: skip


def memory(objects: Sequence[Manifest]) -> Iterator[str]:
    """Each container of an operator states its memory: otherwise the LimitRange gives it far too little."""
    for one in objects:
        kind, name = one["kind"], one["metadata"]["name"]
        if not is_custom(one) or kind in _WITHOUT_CONTAINERS:
            continue
        if kind not in _RESOURCES:
            yield f"{kind} {name}: nobody knows which containers it makes"
            continue
        for path in _RESOURCES[kind]:
            for stated in _at(one["spec"], path.split("/")):
                asked, limits = stated.get("requests", {}), stated.get("limits", {})
                if "cpu" not in asked or "memory" not in asked or limits != {"memory": asked["memory"]}:
                    yield f"{kind} {name}: {path}: requests {asked}, limits {limits}"
        if more := [field for field in _NOT_ASKED_FOR.get(kind, ()) if field in one["spec"]]:
            yield f"{kind} {name}: nobody asks for the memory of {more}"


def _at(value: Manifest, path: Sequence[str]) -> Iterator[Manifest]:
    """What stands there; nothing is stated where a field is missing."""
    if not path:
        yield value
    elif path[0] == "*":
        for item in value or [{}]:
            yield from _at(item, path[1:])
    else:
        yield from _at(value.get(path[0], {}), path[1:])


def priority(objects: Sequence[Manifest]) -> Iterator[str]:
    """No pod of an operator has a priority of ours: the quota counts those, and has no room for more."""
    ours = {one["metadata"]["name"] for one in objects if one["kind"] == "PriorityClass"}
    for one in objects:
        if is_custom(one) and any(value in ours for value in _priorities(one.get("spec", {}))):
            yield f"{one['kind']} {one['metadata']['name']}: its pods take the room of our processes"


def _priorities(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "priorityClassName":
                yield inner
            yield from _priorities(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _priorities(inner)
