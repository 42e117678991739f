"""Every topic of an installation, as our processes make them, for whoever makes them before.

The processes create what is missing, and refuse a topic with other partitions or another cleanup policy. A
test compares this table with the topics that a running system has made.
"""

from collections.abc import Sequence

from projector.notifications.kafka.retry_topics import RetryTopics
from projector.parking.kafka import dead_letter_spec
from projector.projections import NAMES, NOTIFICATIONS, PRODUCTS_STATE
from projector.settings import ProjectorSettings
from shared.contract.addresses import topics
from shared.kafka.topics import TopicSpec


def kafka_topics(settings: ProjectorSettings) -> Sequence[TopicSpec]:
    """For these partitions, replicas, prefix and delays of mails."""
    prefix = settings.kafka_topic_prefix
    names = topics(prefix)
    mails = RetryTopics(settings, names.events, f"{prefix}{NOTIFICATIONS.name}", settings.retry_delays)
    return (
        *(TopicSpec(name, settings.partition_count, settings.kafka_replication_factor) for name in names),
        PRODUCTS_STATE.topic(settings),
        *mails.specs,
        *(dead_letter_spec(settings, names.events, f"{prefix}{name}") for name in NAMES),
    )
