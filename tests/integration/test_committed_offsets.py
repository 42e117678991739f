"""A broker that comes up knows its groups' offsets only after a while: until then, not none."""

import asyncio
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from deploy.local.kafka import KafkaServer
from projector.kafka.committed_offsets import committed_offsets
from shared.kafka.topics import TopicSpec, ensure_topics

pytestmark = pytest.mark.servers
_PATIENCE_SECONDS = 60


async def test_a_coordinator_that_is_still_loading_is_no_group_without_offsets(
    kafka_server: KafkaServer, kafka_bootstrap_servers: str, kafka_prefix: str
) -> None:
    topic = f"{kafka_prefix}topic"
    await ensure_topics(kafka_bootstrap_servers, [TopicSpec(topic, 1, 1)])
    here = TopicPartition(topic, 0)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka_bootstrap_servers,
        group_id=f"{kafka_prefix}{uuid4()}",
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        consumer.assign([here])
        assert await committed_offsets(consumer, [here]) == {}
        await consumer.commit({here: 0})
        restart = asyncio.create_task(asyncio.to_thread(kafka_server.restart))
        refused = 0
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not restart.done() or not refused:
                try:
                    assert await committed_offsets(consumer, [here]) == {here: 0}
                except KafkaError:
                    refused += 1
                await asyncio.sleep(0)
            await restart
    finally:
        await consumer.stop()
