"""The compacted topic `products-state`: the latest document of each product, a tombstone for a deleted one.

One transactional producer a partition. Its transactional id is the group's name and the partition, so the
broker lets only the producer that started last write there: a record that a killed or paused predecessor
still has is refused, or was aborted by our start. A reader that is not `read_committed` may see records of an
aborted transaction: all are true states, each comes again later, and none comes after a newer one.
"""

import asyncio
from collections.abc import Collection, Sequence
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import InvalidProducerEpoch, ProducerFenced

from projector.errors import CannotGoOn, Fenced, Unavailable
from projector.state_topic.ports import State
from shared.contract.addresses import EVENT_SOURCE
from shared.kafka.errors import PRODUCER_HAS_DIED
from shared.kafka.producers import (
    BATCH_BYTES_MAX,
    REQUEST_BYTES_MAX,
    abandon_producer,
    close_producer,
    start_producer,
)
from shared.kafka.servers import KafkaServers
from shared.kafka.topics import KafkaUnavailable, TopicsAreWrong, TopicSpec, ensure_topics
from shared.ops.error_text import named
from shared.ops.retry import RetryPolicy

STATE_TYPE = "product-state"
_REQUEST_SECONDS_MAX = 8.0
_STOP_SECONDS_MAX = 2.0
_RETRY_MILLISECONDS = 50
_ONE_ATTEMPT = RetryPolicy("state_topic", 0.1, 1.0, budget_seconds=1.0)


class StateTopicSettings(NamedTuple):
    """The topic, the transactional id, and the limits of time."""

    servers: KafkaServers
    spec: TopicSpec
    group: str
    seconds_max: float = 15.0


class KafkaStateTopic:
    """Implements `StateTopic`."""

    def __init__(self, settings: StateTopicSettings) -> None:
        self._settings = settings

    async def open(self, partition: int) -> "KafkaStateChannel":
        settings = self._settings
        producer = AIOKafkaProducer(
            **settings.servers.arguments(),
            client_id=f"projector-state-{partition}",
            transactional_id=f"{settings.group}-{partition}",
            # How long a killed publisher can hold up readers of committed records.
            transaction_timeout_ms=int(settings.seconds_max * 1000),
            max_batch_size=BATCH_BYTES_MAX,
            max_request_size=REQUEST_BYTES_MAX,
            request_timeout_ms=int(_REQUEST_SECONDS_MAX * 1000),
            retry_backoff_ms=_RETRY_MILLISECONDS,
        )
        try:
            await start_producer(
                producer, seconds_max=settings.seconds_max, stop_seconds_max=_STOP_SECONDS_MAX
            )
        except PRODUCER_HAS_DIED as error:
            raise _translated(error) from error
        return KafkaStateChannel(producer, settings.spec.name, partition, settings.seconds_max)

    async def empty(self, partitions: Collection[int]) -> Collection[int]:
        settings = self._settings
        tps = [TopicPartition(settings.spec.name, partition) for partition in partitions]
        consumer = AIOKafkaConsumer(**settings.servers.arguments(), client_id="projector-state-ends")
        try:
            async with asyncio.timeout(settings.seconds_max):
                await ensure_topics(settings.servers, [settings.spec], policy=_ONE_ATTEMPT)
                await consumer.start()
                ends = await consumer.end_offsets(tps)
        except TopicsAreWrong as error:
            raise CannotGoOn(str(error)) from error
        except (KafkaUnavailable, *PRODUCER_HAS_DIED) as error:
            raise _translated(error) from error
        finally:
            await consumer.stop()
        return [tp.partition for tp, end in ends.items() if end == 0]


class KafkaStateChannel:
    """Implements `StateChannel` over one started producer."""

    def __init__(self, producer: AIOKafkaProducer, topic: str, partition: int, seconds_max: float) -> None:
        self._producer = producer
        self._topic = topic
        self._partition = partition
        self._seconds_max = seconds_max

    async def publish(self, states: Sequence[State]) -> None:
        """One transaction."""
        try:
            async with asyncio.timeout(self._seconds_max):
                await self._producer.begin_transaction()
                confirmations = [await self._send(state) for state in states]
                # Check before the commit: aiokafka commits although a batch has failed.
                await asyncio.gather(*confirmations)
                await self._producer.commit_transaction()
        except PRODUCER_HAS_DIED as error:
            raise _translated(error) from error

    async def close(self) -> None:
        await close_producer(self._producer, seconds_max=_STOP_SECONDS_MAX)

    async def abandon(self) -> None:
        await abandon_producer(self._producer, seconds_max=_STOP_SECONDS_MAX)

    async def _send(self, state: State) -> "asyncio.Future[object]":
        key = str(state.product_id).encode()
        sent: asyncio.Future[object] = await self._producer.send(
            self._topic, state.document, key, partition=self._partition, headers=state_headers(state)
        )
        return sent


def state_headers(state: State) -> list[tuple[str, bytes]]:
    """CloudEvents in binary mode. The id is made of product and version: a duplicate has the same one."""
    product_id = str(state.product_id)
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", f"{product_id}/{state.stream_version}".encode()),
        ("ce_type", STATE_TYPE.encode()),
        ("ce_source", EVENT_SOURCE.encode()),
        ("ce_subject", product_id.encode()),
        ("ce_time", state.recorded_at.isoformat().replace("+00:00", "Z").encode()),
        ("ce_position", b"%d" % state.log_position),
        ("ce_streamversion", b"%d" % state.stream_version),
    ]
    if state.log_id is not None:
        headers.append(("ce_logid", str(state.log_id).encode()))
    if state.document is not None:
        headers.append(("content-type", b"application/json"))
    return headers


def _translated(error: BaseException) -> Fenced | Unavailable:
    text = f"Kafka: {named(error)}"
    return Fenced(text) if isinstance(error, ProducerFenced | InvalidProducerEpoch) else Unavailable(text)
