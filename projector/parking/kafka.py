"""Copies of dead letters in Kafka, for other tools: the topic `<topic>.<group>.dlt`.

A record keeps its bytes; its cause is in headers. The dead letter in PostgreSQL is the truth and is written
in the batch's transaction. It is copied from there, so an outage of Kafka delays copies and never a batch. At
least once: a crash between the broker's confirmation and the mark in PostgreSQL makes duplicates. The headers
follow both known conventions: Spring Kafka's DeadLetterPublishingRecoverer (`kafka_dlt-*`, numbers as
big-endian bytes) and Kafka Streams' KIP-1034 (`__streams.errors.*`, numbers as text).
"""

import asyncio
from collections.abc import Collection

from aiokafka import AIOKafkaProducer

from projector.errors import ProjectorError
from projector.parking.copy_ports import Uncopied, UncopiedDeadLetters
from projector.settings import ProjectorSettings
from shared.kafka.errors import KAFKA_IS_AWAY
from shared.kafka.producers import close_producer, start_producer
from shared.kafka.topics import RECORD_BYTES_MAX, KafkaUnavailable, TopicsAreWrong, TopicSpec, ensure_topics
from shared.ops.concurrency.waits import until_turn
from shared.ops.error_text import named
from shared.ops.logs import get_logger
from shared.ops.metrics.dead_letters import COPIED
from shared.ops.retry import RetryPolicy

_EVENTS_PER_TURN_MAX = 200
# The largest record that the source takes, and its cause.
_RECORD_BYTES_MAX = RECORD_BYTES_MAX + 64 * 1024
_IDLE_SECONDS = 1.0
_TROUBLE_SECONDS = 5.0
_SEND_SECONDS_MAX = 15.0
_STOP_SECONDS_MAX = 2.0
_ONE_ATTEMPT = RetryPolicy("dead_letter_topics", 0.1, 1.0, budget_seconds=1.0)
_EXPECTED = (ProjectorError, *KAFKA_IS_AWAY, KafkaUnavailable, TopicsAreWrong)
_log = get_logger(__name__)


def dead_letter_topic(topic: str, group: str) -> str:
    """The dead-letter topic of a group and topic; for a retry topic, the one of the original topic."""
    original, _, _ = topic.partition(f".{group}.retry.")
    return f"{original}.{group}.dlt"


def dead_letter_spec(settings: ProjectorSettings, topic: str, group: str) -> TopicSpec:
    """The settings of that topic."""
    return TopicSpec(
        dead_letter_topic(topic, group),
        settings.partition_count,
        settings.kafka_replication_factor,
        record_bytes_max=_RECORD_BYTES_MAX,
    )


class DeadLetterCopies:
    """Copies the dead letters of the given projections, until cancelled."""

    def __init__(
        self,
        dead_letters: UncopiedDeadLetters,
        settings: ProjectorSettings,
        groups: dict[str, str],
        topics: Collection[str],
    ) -> None:
        self._dead_letters = dead_letters
        self._settings = settings
        self._groups = groups
        self._specs = [
            dead_letter_spec(settings, topic, group) for topic in topics for group in groups.values()
        ]
        self._producer: AIOKafkaProducer | None = None

    async def run(self) -> None:
        """Look every second. A failure is logged and tried again; parking does not depend on it."""
        try:
            while True:
                try:
                    copied = await self._turn()
                except Exception as error:
                    # One that nobody expects must not end the copies for good, without a sign.
                    write = _log.warning if isinstance(error, _EXPECTED) else _log.error
                    write("dead letters not copied", error=named(error))
                    await self._disconnect()
                    await asyncio.sleep(_TROUBLE_SECONDS)
                else:
                    if copied < _EVENTS_PER_TURN_MAX:
                        await asyncio.sleep(until_turn(_IDLE_SECONDS))
        finally:
            await self._disconnect()

    async def _turn(self) -> int:
        async with self._dead_letters.uncopied(self._groups, _EVENTS_PER_TURN_MAX) as dead_letters:
            if dead_letters:
                producer = await self._connected()
                async with asyncio.timeout(_SEND_SECONDS_MAX):
                    for dead_letter in dead_letters:
                        await self._send(producer, dead_letter)
        return len(dead_letters)

    async def _send(self, producer: AIOKafkaProducer, dead_letter: Uncopied) -> None:
        """To the partition that the record came from, which keeps the order of a product's dead letters."""
        group = self._groups[dead_letter.projection]
        topic = dead_letter_topic(dead_letter.topic, group)
        await producer.send_and_wait(
            topic,
            dead_letter.value,
            dead_letter.key,
            partition=dead_letter.partition,
            timestamp_ms=dead_letter.timestamp,
            headers=dead_letter_headers(dead_letter, group),
        )
        COPIED.labels(topic).inc()

    async def _connected(self) -> AIOKafkaProducer:
        if self._producer is None:
            servers = self._settings.kafka_servers
            await ensure_topics(servers, self._specs, policy=_ONE_ATTEMPT)
            producer = AIOKafkaProducer(
                **servers.arguments(),
                client_id="projector-dead-letters",
                acks="all",
                max_request_size=_RECORD_BYTES_MAX,
            )
            await start_producer(
                producer,
                seconds_max=self._settings.producer_start_seconds_max,
                stop_seconds_max=_STOP_SECONDS_MAX,
            )
            self._producer = producer
        return self._producer

    async def _disconnect(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await close_producer(producer, seconds_max=_STOP_SECONDS_MAX)


def dead_letter_headers(dead_letter: Uncopied, group: str) -> list[tuple[str, bytes | None]]:
    """The record's own headers, then its cause. The error class is in place of an exception's name."""
    error_class, cause, topic = (
        dead_letter.error_class.encode(),
        dead_letter.cause.encode(),
        dead_letter.topic.encode(),
    )
    return [
        *dead_letter.headers,
        ("kafka_dlt-exception-fqcn", error_class),
        ("kafka_dlt-exception-message", cause),
        ("kafka_dlt-original-topic", topic),
        ("kafka_dlt-original-partition", dead_letter.partition.to_bytes(4, "big")),
        ("kafka_dlt-original-offset", dead_letter.offset.to_bytes(8, "big")),
        ("kafka_dlt-original-timestamp", dead_letter.timestamp.to_bytes(8, "big", signed=True)),
        ("kafka_dlt-original-timestamp-type", b"CreateTime"),
        ("kafka_dlt-original-consumer-group", group.encode()),
        ("__streams.errors.exception", error_class),
        ("__streams.errors.message", cause),
        ("__streams.errors.stacktrace", b""),
        ("__streams.errors.topic", topic),
        ("__streams.errors.partition", str(dead_letter.partition).encode()),
        ("__streams.errors.offset", str(dead_letter.offset).encode()),
    ]
