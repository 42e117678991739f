"""Found by `make chaos`: an answer that got lost must not be waited for on the same connection for ever."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.offset import OffsetRequest

from projector.errors import Unavailable
from projector.kafka.topic_bounds import topic_bounds
from shared.kafka.topics import TopicSpec, ensure_topics

pytestmark = pytest.mark.servers


async def test_after_a_lost_answer_the_ends_are_asked_for_on_another_connection(
    kafka_bootstrap_servers: str, kafka_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = f"{kafka_prefix}topic"
    await ensure_topics(kafka_bootstrap_servers, [TopicSpec(topic, 1)])
    here = TopicPartition(topic, 0)
    deaf: list[AIOKafkaConnection] = []
    send = AIOKafkaConnection.send

    def lossy(self: AIOKafkaConnection, request: Any, expect_response: bool = True) -> Any:
        if isinstance(request, OffsetRequest) and (not deaf or self is deaf[0]):
            deaf.append(self)
            return asyncio.get_running_loop().create_future()
        return send(self, request, expect_response=expect_response)

    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka_bootstrap_servers,
        group_id=f"{kafka_prefix}{uuid4()}",
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        consumer.assign([here])
        monkeypatch.setattr(AIOKafkaConnection, "send", lossy)
        with pytest.raises(Unavailable, match="TimeoutError"):
            await topic_bounds(consumer, [here], seconds_max=1.0)
        assert deaf
        assert await topic_bounds(consumer, [here], seconds_max=30.0) == ({here: 0}, {here: 0})
    finally:
        monkeypatch.undo()
        await consumer.stop()
