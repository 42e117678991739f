"""Topics and users of Kafka as objects for Strimzi's operators, from the tables that the processes use.

`make docs` writes them into deploy/kustomize/components/strimzi.
"""

from pathlib import Path
from typing import Any

from deploy.kafka_rights import Right, kafka_rights
from deploy.kafka_topics import kafka_topics
from projector.settings import ProjectorSettings
from shared.kafka.topics import TopicSpec

Manifest = dict[str, Any]

FOLDER = Path(__file__).parent / "kustomize" / "components" / "strimzi"
CLUSTER = "catalogue"
REPLICATION_FACTOR = 3
_API_VERSION = "kafka.strimzi.io/v1"
_KINDS = {"TOPIC": "topic", "GROUP": "group", "TRANSACTIONAL_ID": "transactionalId"}


def topic_objects() -> list[Manifest]:
    """One for each topic of an installation with the settings of the base and three replicas."""
    settings = ProjectorSettings(  # type: ignore[call-arg]  # `_env_file`: not what is set on this machine
        _env_file=None, kafka_replication_factor=REPLICATION_FACTOR
    )
    return [_topic(spec) for spec in kafka_topics(settings)]


def user_objects() -> list[Manifest]:
    """One for each user, with the rights of docs/kafka-rights.md and no others."""
    rights = kafka_rights()
    return [
        _user(name, [right for right in rights if right.user == name])
        for name in sorted({right.user for right in rights})
    ]


def _topic(spec: TopicSpec) -> Manifest:
    return {
        "apiVersion": _API_VERSION,
        "kind": "KafkaTopic",
        "metadata": {
            # The name of an object may not contain `_`.
            "name": spec.name.replace("_", "-"),
            "labels": {"strimzi.io/cluster": CLUSTER},
        },
        "spec": {
            "topicName": spec.name,
            "partitions": spec.partition_count,
            "replicas": spec.replication_factor,
            "config": spec.all_configs(),
        },
    }


def _user(name: str, rights: list[Right]) -> Manifest:
    return {
        "apiVersion": _API_VERSION,
        "kind": "KafkaUser",
        "metadata": {"name": name, "labels": {"strimzi.io/cluster": CLUSTER}},
        "spec": {
            "authentication": {"type": "scram-sha-512"},
            "authorization": {"type": "simple", "acls": [_rule(right) for right in rights]},
        },
    }


def _rule(right: Right) -> Manifest:
    return {
        "resource": {
            "type": _KINDS[right.resource],
            "name": right.pattern,
            "patternType": "prefix" if right.is_prefix else "literal",
        },
        "operations": [_operation(one) for one in right.operations],
    }


def _operation(name: str) -> str:
    """`DESCRIBE_CONFIGS` is `DescribeConfigs` there."""
    return "".join(word.capitalize() for word in name.split("_"))
