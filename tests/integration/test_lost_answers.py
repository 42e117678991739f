"""Found by `make chaos`: an answer that got lost must not be waited for on the same connection for ever."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.offset import OffsetRequest

from projector.errors import Unavailable
from projector.kafka.lost_answers import LostAnswers
from projector.kafka.topic_bounds import topic_bounds
from shared.kafka.servers import KafkaServers
from shared.kafka.topics import TopicSpec, ensure_topics
from tests.eventually import eventually

pytestmark = pytest.mark.servers


async def test_after_a_lost_answer_the_ends_are_asked_for_on_another_connection(
    kafka_bootstrap_servers: str, kafka_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = f"{kafka_prefix}topic"
    await ensure_topics(KafkaServers(kafka_bootstrap_servers), [TopicSpec(topic, 1)])
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


async def test_a_connection_on_which_an_answer_is_overdue_is_made_anew_and_the_metadata_comes(
    kafka_bootstrap_servers: str, kafka_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """aiokafka asks again for ever on the connection that does not answer."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka_bootstrap_servers, enable_auto_commit=False, request_timeout_ms=1_000
    )
    await consumer.start()
    try:
        client = consumer._client
        assert await client.force_metadata_update()
        assert await client.ready(1)
        deaf = set(client._conns.values())
        handle = AIOKafkaConnection._handle_frame
        monkeypatch.setattr(
            AIOKafkaConnection,
            "_handle_frame",
            lambda self, frame: None if self in deaf else handle(self, frame),
        )
        now = 0.0
        answers = LostAnswers(seconds_max=15.0, clock=lambda: now)
        client.force_metadata_update()

        def is_waiting() -> None:
            assert any(connection._requests for connection in client._conns.values())

        await eventually(is_waiting)
        assert answers.look([client]) == 0
        now = 14.0
        assert answers.look([client]) == 0
        assert not await client.force_metadata_update()
        now = 15.0
        assert answers.look([client]) >= 1

        async def is_heard() -> None:
            assert await client.force_metadata_update()

        await eventually(is_heard, 60)
    finally:
        monkeypatch.undo()
        await consumer.stop()
