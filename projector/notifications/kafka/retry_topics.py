"""Delayed retries without order: a record that failed is copied to a topic that is read after a delay.

    products-events.<group>.retry.10s  ->  .retry.1m  ->  .retry.10m  ->  the dead letters

The copy has the key, the value and the headers of the original, and these in addition: `x-attempt` (how often
it was tried), `x-not-before` (milliseconds since 1970), `x-cause`, and the place of the original,
`x-original-topic`, `-partition`, `-offset`. It is confirmed by the broker before the original counts as done.
The delay of a topic is the same for all in it, so the first record of a partition is the first that is due.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from aiokafka import AIOKafkaProducer

from projector.applying.records import MadeRecord, SourceRecord
from projector.errors import CannotGoOn, Unavailable
from projector.kafka.group_offsets import topic_ends
from projector.notification_settings import RetryDelay
from shared.kafka.errors import KAFKA_IS_AWAY
from shared.kafka.producers import abandon_producer, close_producer, start_producer
from shared.kafka.servers import KafkaServers
from shared.kafka.topics import RECORD_BYTES_MAX, KafkaUnavailable, TopicsAreWrong, TopicSpec, ensure_topics
from shared.ops.error_text import named
from shared.ops.metrics.dead_letters import RETRY_RECORDS
from shared.ops.retry import RetryPolicy

if TYPE_CHECKING:
    from projector.settings import ProjectorSettings

# The largest record that the source takes, and the added headers.
_RECORD_BYTES_MAX = RECORD_BYTES_MAX + 64 * 1024
_CAUSE_BYTES_MAX = 4096
_SEND_SECONDS_MAX = 15.0
_STOP_SECONDS_MAX = 2.0
_ONE_ATTEMPT = RetryPolicy("retry_topics", 0.1, 1.0, budget_seconds=1.0)
_ADDED = frozenset(
    {"x-attempt", "x-not-before", "x-cause", "x-original-topic", "x-original-partition", "x-original-offset"}
)


class Attempt(NamedTuple):
    """The earlier attempts of a record: how many, since when it is due, and its original place."""

    tried: int
    not_before_ms: int
    topic: str
    partition: int
    offset: int


def first_attempt(record: SourceRecord) -> Attempt:
    """For an original record, whatever its headers say."""
    return Attempt(0, 0, record.topic, record.partition, record.offset)


def attempt_of(record: SourceRecord) -> Attempt:
    """For a copy. One without our headers, or with damaged ones, counts as an original and is due now."""
    headers = dict(record.headers)
    try:
        return Attempt(
            int(headers["x-attempt"] or b""),
            int(headers["x-not-before"] or b""),
            (headers["x-original-topic"] or b"").decode(),
            int(headers["x-original-partition"] or b""),
            int(headers["x-original-offset"] or b""),
        )
    except (KeyError, ValueError):
        return first_attempt(record)


def kept(record: SourceRecord, past: Attempt, cause: str, *, not_before_ms: int | None = None) -> MadeRecord:
    """The original record with the headers of one more attempt, which failed for this cause."""
    due = past.not_before_ms if not_before_ms is None else not_before_ms
    added = [
        ("x-attempt", b"%d" % (past.tried + 1)),
        ("x-not-before", b"%d" % due),
        ("x-cause", cause.encode()[:_CAUSE_BYTES_MAX].decode(errors="ignore").encode()),
        ("x-original-topic", past.topic.encode()),
        ("x-original-partition", b"%d" % past.partition),
        ("x-original-offset", b"%d" % past.offset),
    ]
    own = [(name, value) for name, value in record.headers if name not in _ADDED]
    headers = (*own, *added)
    return MadeRecord(
        past.topic, past.partition, past.offset, record.timestamp, record.key, record.value, headers
    )


async def retry_ends(servers: KafkaServers, names: Sequence[str]) -> Mapping[str, Mapping[int, int]]:
    """By topic and partition the offset after the last record. Raises `Unavailable`."""
    try:
        return {name: (await topic_ends(servers, name, [])).end_offsets for name in names}
    except KAFKA_IS_AWAY as error:
        raise Unavailable(f"Kafka: {named(error)}") from error


class RetryTopics:
    """The retry topics of one group. Connects when first used; a producer that failed is replaced."""

    def __init__(
        self, settings: "ProjectorSettings", topic: str, group: str, delays: Sequence[RetryDelay]
    ) -> None:
        self.delays = delays
        self._settings = settings
        self._names = [f"{topic}.{group}.retry.{delay.label}" for delay in delays]
        self._producer: AIOKafkaProducer | None = None
        self._connecting = asyncio.Lock()

    @property
    def names(self) -> Sequence[str]:
        """One topic for each delay."""
        return self._names

    @property
    def specs(self) -> list[TopicSpec]:
        """The settings that the topics must have."""
        settings = self._settings
        return [
            TopicSpec(
                name,
                settings.partition_count,
                settings.kafka_replication_factor,
                record_bytes_max=_RECORD_BYTES_MAX,
            )
            for name in self._names
        ]

    async def ensure(self) -> None:
        """Call it before reading records that may have to be delayed. Raises `Unavailable`, `CannotGoOn`."""
        try:
            await ensure_topics(self._settings.kafka_servers, self.specs, policy=_ONE_ATTEMPT)
        except KafkaUnavailable as error:
            raise Unavailable(f"Kafka: {error}") from error
        except TopicsAreWrong as error:
            raise CannotGoOn(str(error)) from error

    async def send(self, stage: int, records: Sequence[MadeRecord]) -> None:
        """To the topic of the n-th delay; confirmed when this returns. Raises `Unavailable`."""
        if not records:
            return
        topic = self._names[stage]
        producer = await self._connected()
        try:
            async with asyncio.timeout(_SEND_SECONDS_MAX):
                sent = [
                    await producer.send(
                        topic,
                        record.value,
                        record.key,
                        partition=record.partition,
                        timestamp_ms=record.timestamp,
                        headers=list(record.headers),
                    )
                    for record in records
                ]
                await asyncio.gather(*sent)
        except KAFKA_IS_AWAY as error:
            await self._abandon(producer)
            raise Unavailable(f"Kafka: {named(error)}") from error
        RETRY_RECORDS.labels(topic).inc(len(records))

    async def close(self) -> None:
        """Call it while nothing is being sent."""
        if self._producer is not None:
            await close_producer(self._producer, seconds_max=_STOP_SECONDS_MAX)

    async def _connected(self) -> AIOKafkaProducer:
        async with self._connecting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **self._settings.kafka_servers.arguments(),
                    client_id="projector-retries",
                    acks="all",
                    enable_idempotence=True,
                    max_request_size=_RECORD_BYTES_MAX,
                )
                try:
                    await start_producer(
                        producer,
                        seconds_max=self._settings.producer_start_seconds_max,
                        stop_seconds_max=_STOP_SECONDS_MAX,
                    )
                except KAFKA_IS_AWAY as error:
                    raise Unavailable(f"Kafka: {named(error)}") from error
                self._producer = producer
            return self._producer

    async def _abandon(self, producer: AIOKafkaProducer) -> None:
        """Its open records may or may not arrive; a record that is delayed twice is tried twice, not sent
        twice.
        """
        if self._producer is producer:
            self._producer = None
        await abandon_producer(producer, seconds_max=_STOP_SECONDS_MAX)
