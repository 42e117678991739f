"""A broker that comes up knows its groups' offsets only after a while: until then, not none."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from deploy.local.kafka import KafkaServer
from projector.applying.ports import Checkpoint
from projector.kafka.committed_offsets import committed_offsets
from projector.kafka.starting_points import StartingPoint, StartingPoints
from shared.kafka.servers import KafkaServers
from shared.kafka.topics import TopicSpec, ensure_topics

pytestmark = pytest.mark.servers
_PATIENCE_SECONDS = 60


async def test_a_coordinator_that_is_still_loading_is_no_group_without_offsets(
    kafka_server: KafkaServer, kafka_bootstrap_servers: str, kafka_prefix: str
) -> None:
    topic = f"{kafka_prefix}topic"
    await ensure_topics(KafkaServers(kafka_bootstrap_servers), [TopicSpec(topic, 1, 1)])
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


class _StoppedAfterLooking(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka has no types
    """Between the answer of the broker and our next step another member of the group reads on."""

    async def end_offsets(self, partitions: Any) -> Any:
        ends = await super().end_offsets(partitions)
        async with AIOKafkaProducer(bootstrap_servers=self._client._bootstrap_servers) as producer:
            for tp in partitions:
                await producer.send_and_wait(tp.topic, b"", partition=tp.partition)
        await self.commit({tp: end + 1 for tp, end in ends.items()})
        return ends


class _Log:
    """Only its name is asked for."""

    async def log_id(self) -> UUID:
        return UUID(int=1)


class _NoOrders:
    """Nobody has repositioned the projection."""

    async def given(self, _: object) -> Mapping[int, Checkpoint]:
        return {}

    async def taken(self, _: object) -> None:
        raise AssertionError("there is none")

    async def reported(self) -> Mapping[int, int]:
        return {}


async def _no_checkpoints(_: object) -> Mapping[int, Checkpoint]:
    return {}


async def test_a_member_that_was_stopped_while_it_looked_does_not_take_its_successors_offset_for_a_lost_topic(
    kafka_bootstrap_servers: str, kafka_prefix: str
) -> None:
    topic = f"{kafka_prefix}topic"
    await ensure_topics(KafkaServers(kafka_bootstrap_servers), [TopicSpec(topic, 1, 1)])
    here = TopicPartition(topic, 0)
    consumer = _StoppedAfterLooking(
        bootstrap_servers=kafka_bootstrap_servers,
        group_id=f"{kafka_prefix}{uuid4()}",
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        consumer.assign([here])
        await consumer.commit({here: 0})
        log: Any = _Log()
        points = StartingPoints(
            "cache", _no_checkpoints, log, _NoOrders(), starts_at="committed", bounds_seconds_max=30.0
        )
        assert await points.find(consumer, [here]) == {here: StartingPoint(0, UUID(int=1))}
    finally:
        await consumer.stop()
