"""A fault for each policy of containers that operators make."""

from tests.deploy import operator_rules
from tests.deploy.kustomization import Manifest, find
from tests.deploy.rules import Fault, Rule


def _spec(objects: list[Manifest], kind: str, name: str) -> Manifest:
    spec: Manifest = find(objects, kind, name)["spec"]
    return spec


def _sidecar(objects: list[Manifest]) -> Manifest:
    resources: Manifest = _spec(objects, "ObjectStore", "event-store")["instanceSidecarConfiguration"][
        "resources"
    ]
    return resources


def _pooler(objects: list[Manifest]) -> Manifest:
    spec: Manifest = _spec(objects, "Pooler", "read-model-pooler-ro")["template"]["spec"]
    return spec


FAULTS: list[tuple[str, Rule, Fault]] = [
    (
        "cloudnative-pg",
        operator_rules.memory,
        lambda o: _spec(o, "ObjectStore", "read-model").pop("instanceSidecarConfiguration"),
    ),
    ("cloudnative-pg", operator_rules.memory, lambda o: _sidecar(o).pop("limits")),
    ("cloudnative-pg", operator_rules.memory, lambda o: _sidecar(o)["requests"].update(memory="64Mi")),
    ("cloudnative-pg", operator_rules.memory, lambda o: _spec(o, "Cluster", "read-model").pop("resources")),
    ("cloudnative-pg", operator_rules.memory, lambda o: _pooler(o)["containers"].clear()),
    ("cloudnative-pg", operator_rules.memory, lambda o: find(o, "Pooler", "read-model-pooler-rw").update(
        kind="ClusterImageCatalog")),
    ("strimzi", operator_rules.memory, lambda o: _spec(o, "KafkaNodePool", "brokers").pop("resources")),
    ("strimzi", operator_rules.memory, lambda o: _spec(o, "Kafka", "catalogue").pop("kafkaExporter")),
    ("strimzi", operator_rules.memory, lambda o: _spec(o, "Kafka", "catalogue").update(cruiseControl={})),
    (
        "strimzi",
        operator_rules.memory,
        lambda o: _spec(o, "Kafka", "catalogue")["entityOperator"].update(topicOperator={}),
    ),
    (
        "strimzi",
        operator_rules.memory,
        lambda o: _spec(o, "Kafka", "catalogue")["entityOperator"]["userOperator"].pop("resources"),
    ),
    (
        "cloudnative-pg",
        operator_rules.priority,
        lambda o: _spec(o, "Cluster", "event-store").update(
            priorityClassName="product-catalogue-write"
        ),
    ),
    (
        "cloudnative-pg",
        operator_rules.priority,
        lambda o: _pooler(o).update(priorityClassName="product-catalogue-read"),
    ),
]  # fmt: skip
