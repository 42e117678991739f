"""The offsets of a consumer group and of its topic, read from outside the group."""

from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from projector.errors import Unavailable
from shared.kafka.servers import KafkaServers


class TopicEnds(NamedTuple):
    """The offset after the last record of each partition, and the committed offsets of each group, if any."""

    end_offsets: dict[int, int]
    committed: dict[str, dict[int, int]]


async def topic_ends(servers: KafkaServers, topic: str, groups: list[str]) -> TopicEnds:
    """Raises aiokafka's `KafkaError` during an outage of Kafka, `Unavailable` if the topic does not exist."""
    consumer = AIOKafkaConsumer(**servers.arguments(), client_id="projector-status")
    admin = AIOKafkaAdminClient(**servers.arguments(), client_id="projector-status")
    try:
        await consumer.start()
        await admin.start()
        described = (await admin.describe_topics([topic]))[0]
        if described["error_code"]:
            raise Unavailable(f"the topic {topic} does not exist")
        tps = [TopicPartition(topic, one["partition"]) for one in described["partitions"]]
        ends = await consumer.end_offsets(tps)
        committed = {}
        for group in groups:
            offsets = await admin.list_consumer_group_offsets(group, partitions=tps)
            committed[group] = {tp.partition: at.offset for tp, at in offsets.items() if at.offset >= 0}
        return TopicEnds({tp.partition: offset for tp, offset in ends.items()}, committed)
    finally:
        await admin.close()
        await consumer.stop()
