"""Publishes chunks of the log to Kafka; the confirmed events of a chunk are always a prefix of it.

Each lane has at most one batch in flight, so nothing follows an unconfirmed record in a partition. Kafka's
idempotence alone does not prevent a gap: a broker accepts any first sequence number from a producer that it
does not know, so batch 2 could be stored although batch 1 has failed.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import aiokafka.errors as kafka_errors
from aiokafka import AIOKafkaProducer

from command_api.relay.kafka.lanes import Lane, TopicsOf, fill_lanes
from command_api.relay.kafka.newest_records import newest_event
from command_api.relay.kafka.producer import create_producer
from command_api.relay.kafka.publish_spans import PublishTrace
from command_api.relay.kafka.topic_contents import (
    TopicsLackEvents,
    check_contents,
    first_positions,
    places_in,
)
from command_api.relay.ports import Chunk, OperatorNeeded, Published, PublishFailed, RelayError
from shared.contract.recorded_event import RecordedEvent
from shared.kafka.errors import KAFKA_IS_AWAY
from shared.kafka.producers import abandon_producer, close_producer
from shared.kafka.servers import KafkaServers
from shared.kafka.topics import KafkaUnavailable, TopicIsMissing, TopicsAreWrong, TopicSpec, ensure_topics
from shared.ops.error_text import named
from shared.ops.metrics.relay import KAFKA_PUBLISH
from shared.ops.retry import RetryPolicy

_CONNECT_REQUESTS_MAX = 4
# Kafka will refuse the same record again, from every producer.
_REFUSED_FOR_GOOD = (
    kafka_errors.MessageSizeTooLargeError,
    kafka_errors.RecordListTooLargeError,
    kafka_errors.InvalidTimestampError,
    kafka_errors.InvalidTopicError,
    kafka_errors.TopicAuthorizationFailedError,
    kafka_errors.ClusterAuthorizationFailedError,
    kafka_errors.PolicyViolationError,
    kafka_errors.UnsupportedForMessageFormatError,
)


@dataclass(frozen=True, slots=True)
class PublisherSettings:
    """Where to publish and how long each step may take, in seconds. The first topic has every event."""

    servers: KafkaServers
    topics: Sequence[TopicSpec]
    topics_of: TopicsOf
    partition_count: int
    start_seconds_max: float
    send_seconds_max: float
    stop_seconds_max: float
    client_id: str = "catalogue-relay"
    create_missing_topics: bool = True
    is_replay: bool = False


class KafkaPublisher:
    """Adapter of `ports.Publisher`; `log_id` is the event store's UUID as ASCII text."""

    def __init__(self, settings: PublisherSettings, log_id: bytes) -> None:
        self._settings = settings
        self._log_id = log_id
        self._producer: AIOKafkaProducer | None = None
        self._has_unconfirmed = True
        self._next_offsets: dict[tuple[str, int], int] = {}

    async def start(self, published: Sequence[RecordedEvent] = ()) -> None:
        """Verifies the topics at every start: an operator may have deleted and created them since.

        A cancellation takes effect when connecting has ended, because aiokafka leaks a connection if it is
        cancelled before; nothing is published meanwhile.
        """
        connecting = asyncio.create_task(self._connect(published))
        try:
            await asyncio.shield(connecting)
        except asyncio.CancelledError:
            await asyncio.gather(connecting, return_exceptions=True)
            raise
        except TopicIsMissing as error:
            raise (TopicsLackEvents if published else OperatorNeeded)(str(error)) from error
        except TopicsAreWrong as error:
            raise OperatorNeeded(str(error)) from error
        except (KafkaUnavailable, *KAFKA_IS_AWAY) as error:
            raise PublishFailed(f"no connection to Kafka: {named(error)}") from error
        self._has_unconfirmed = False

    async def check(self, published: Sequence[RecordedEvent]) -> None:
        """Also while nothing is published: a broker that lost its data would be noticed at the next event."""
        settings = self._settings
        expected = first_positions(published, settings.topics_of, settings.partition_count)
        places = places_in([topic.name for topic in settings.topics], settings.partition_count)
        try:
            await check_contents(
                settings.servers, places, expected, self._log_id, seconds_max=settings.start_seconds_max
            )
        except KAFKA_IS_AWAY as error:
            raise PublishFailed(f"cannot read the topics: {named(error)}") from error

    async def newest(self) -> RecordedEvent | None:
        settings = self._settings
        try:
            return await newest_event(
                settings.servers,
                settings.topics[0].name,
                settings.partition_count,
                self._log_id,
                seconds_max=settings.start_seconds_max,
            )
        except KAFKA_IS_AWAY as error:
            raise PublishFailed(f"cannot read the topics: {named(error)}") from error

    async def _connect(self, published: Sequence[RecordedEvent]) -> None:
        seconds_max = self._settings.start_seconds_max
        request_seconds_max = seconds_max / _CONNECT_REQUESTS_MAX
        async with asyncio.timeout(seconds_max):
            await ensure_topics(
                self._settings.servers,
                self._settings.topics,
                create_missing=self._settings.create_missing_topics and not published,
                request_timeout_seconds=request_seconds_max,
                policy=RetryPolicy("relay_topics", 0.1, 1.0, budget_seconds=request_seconds_max),
            )
            self._producer = create_producer(self._settings.servers, self._settings.client_id)
            await self._producer.start()
        await self.check(published)

    def prepare(self, events: Sequence[RecordedEvent]) -> Chunk:
        assert self._producer is not None, "prepare comes after start"
        settings = self._settings
        lanes = fill_lanes(
            events,
            log_id=self._log_id,
            topics_of=settings.topics_of,
            partition_count=settings.partition_count,
            new_batch=self._producer.create_batch,
            is_replay=settings.is_replay,
        )
        return Chunk(events, lanes)

    async def publish(self, chunk: Chunk) -> Published:
        """After a failure this publisher must not be used again."""
        with PublishTrace(
            chunk.events, self._settings.topics_of, is_replay=self._settings.is_replay
        ) as spans:
            published = await self._publish(chunk)
            spans.ended(published)
        return published

    async def _publish(self, chunk: Chunk) -> Published:
        assert self._producer is not None, "publish comes after start"
        self._has_unconfirmed = True
        events, lanes = chunk.events, chunk.prepared
        failure = await self._send_all(self._producer, lanes, events)
        unconfirmed = [lane.unconfirmed_from for lane in lanes if lane.unconfirmed_from is not None]
        if not unconfirmed:
            self._has_unconfirmed = False
            return Published(len(events))
        return Published(min(unconfirmed), failure)

    async def stop(self) -> None:
        producer, self._producer = self._producer, None
        if producer is None:
            return
        end = abandon_producer if self._has_unconfirmed else close_producer
        await end(producer, seconds_max=self._settings.stop_seconds_max)

    async def _send_all(
        self, producer: AIOKafkaProducer, lanes: Sequence[Lane], events: Sequence[RecordedEvent]
    ) -> RelayError | None:
        """Send all lanes at the same time, until done or out of time; returns the most important failure."""
        sending = [asyncio.create_task(_send(producer, lane, events, self._next_offsets)) for lane in lanes]
        try:
            done, pending = await asyncio.wait(sending, timeout=self._settings.send_seconds_max)
        finally:
            # Nothing waits for their end: `stop` abandons the producer, which ends every send.
            for task in sending:
                task.cancel()
        failures = [failure for task in done if (failure := task.result()) is not None]
        if pending:
            failures.append(PublishFailed(f"no confirmation within {self._settings.send_seconds_max:g} s"))
        return min(failures, key=lambda failure: not isinstance(failure, OperatorNeeded), default=None)


async def _send(
    producer: AIOKafkaProducer,
    lane: Lane,
    events: Sequence[RecordedEvent],
    next_offsets: dict[tuple[str, int], int],
) -> RelayError | None:
    """Send the batches of one lane, one after the other, until one fails.

    A broker that was emptied takes records as if it had never had any: then their offsets begin again.
    """
    place = (lane.topic, lane.partition)
    upcoming = [index for index, _ in lane.batches[1:]]
    for (index, batch), following in zip(lane.batches, [*upcoming, None], strict=True):
        records = batch.record_count()
        try:
            delivery = await producer.send_batch(batch, lane.topic, partition=lane.partition)
            offset = (await delivery).offset
        except Exception as error:
            KAFKA_PUBLISH.labels(lane.topic, "failed").inc(records)
            return _failure(error, lane, events[index], records)
        known = next_offsets.get(place, 0)
        if 0 <= offset < known:
            return PublishFailed(f"{lane.topic}/{lane.partition} goes on at offset {offset}, it had {known}")
        next_offsets[place] = max(known, offset + records)
        KAFKA_PUBLISH.labels(lane.topic, "confirmed").inc(records)
        lane.unconfirmed_from = following
    return None


def _failure(error: Exception, lane: Lane, first: RecordedEvent, records: int) -> RelayError:
    at = f"{records} record(s) from position {first.log_position} on to {lane.topic}/{lane.partition}"
    text = f"{at}: {named(error)}"
    made = OperatorNeeded(text) if isinstance(error, _REFUSED_FOR_GOOD) else PublishFailed(text)
    made.__cause__ = error
    return made
