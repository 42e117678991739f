"""FastStream's part: a broker without a producer, and batch subscribers that pass raw records on.

The default parser decodes every header of a batch twice and loses the whole batch on a header that is not
UTF-8 (docs/library-facts.md); ours decodes none.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage, Topic
from faststream.kafka.message import FAKE_CONSUMER
from faststream.kafka.subscriber.usecase import BatchSubscriber
from faststream.security import BaseSecurity, SASLScram256, SASLScram512

from projector.kafka.fetching import (
    FETCHER_LOOK_MILLISECONDS,
    METADATA_MAX_AGE_MILLISECONDS,
    BatchWait,
    dead_task,
)
from projector.kafka.following import Following
from projector.kafka.records import Record
from projector.kafka.shared_reader import SharedReader
from projector.kafka.tail import Tail
from projector.kafka.work import Source
from shared.kafka.connections import close_client
from shared.kafka.servers import KafkaServers
from shared.ops.logs import get_logger

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer
    from aiokafka.abc import ConsumerRebalanceListener

    from projector.settings import ProjectorSettings

_log = get_logger(__name__)
Records = tuple[Record, ...]
_STOP_SECONDS_MAX = 5.0
# So many that the interval ends the batch wait, and not a few large events.
_SHARED_BYTES_MIN = 262_144
# aiokafka's default is a third of its 10 s session; ours follows the setting.
_HEARTBEATS_PER_SESSION = 5


class PromptBatchSubscriber(BatchSubscriber):
    """Takes a batch as soon as there are records.

    FastStream's own sleeps `batch_timeout_ms` after an empty poll and misses records that arrive: a short
    time-out burns the processor while idle, a long one delays every event. aiokafka's poll wakes by itself.

    `busy_wait` is for fetches after a batch, `idle_wait` for those after an empty poll: a short batch wait
    would send fetches all the time while nothing happens, and a fetch names each partition.

    While the projection follows the process's shared reader, its batches come from there (`Following`).
    """

    busy_wait: BatchWait
    idle_wait: BatchWait
    following: Following

    async def get_msg(self, consumer: "AIOKafkaConsumer") -> Records:
        followed = await self.following.next_batch(consumer)
        if followed is not None:
            return followed
        batches = await consumer.getmany(timeout_ms=self.batch_timeout_ms, max_records=self.max_records)
        # Before the fetcher runs again.
        (self.busy_wait if batches else self.idle_wait).use_in(consumer)
        return tuple(chain.from_iterable(batches.values()))

    def dead_task(self) -> str | None:
        """Which of aiokafka's own tasks has ended, and why."""
        return None if self.consumer is None else dead_task(self.consumer)

    async def stop(self) -> None:
        """Leave the group, also under a name of our own, which aiokafka would keep for a restart: the next
        pod has another name. If the broker cannot be reached, end without telling it.

        aiokafka's fetcher awaits fetches that it has just cancelled, so that a fetch in its back-off ends our
        stop like a cancellation; then only its connections are still to be closed.
        """
        consumer = self.consumer
        if consumer is not None and consumer._group_instance_id is not None:
            consumer._coordinator._group_instance_id = None
        try:
            async with asyncio.timeout(_STOP_SECONDS_MAX):
                await super().stop()
        except (asyncio.CancelledError, TimeoutError, RuntimeError) as error:
            task = asyncio.current_task()
            if consumer is None or task is None or task.cancelling():
                raise
            for fetch in consumer._fetcher._pending_tasks:
                fetch.cancel()
            _log.warning(
                "left a consumer group without telling the broker",
                topics=sorted(consumer.subscription()),
                reason=repr(error),
            )
            await close_client(consumer._client)
            self.consumer = None


async def _whole_batch(records: Records) -> KafkaMessage:
    return KafkaMessage(
        raw_message=records,
        body=b"",
        headers={},
        message_id="batch",
        correlation_id="batch",
        consumer=FAKE_CONSUMER,
    )


async def _raw_records(message: KafkaMessage) -> Any:
    return message.raw_message


def create_broker(settings: "ProjectorSettings") -> KafkaBroker:
    """Connects when started. Its access log (a line for each batch) is at DEBUG."""
    return KafkaBroker(
        settings.kafka_bootstrap_servers,
        security=broker_security(settings.kafka_servers),
        client_id="projector",
        consumer_only=True,
        allow_auto_create_topics=False,
        ack_policy=AckPolicy.MANUAL,
        graceful_timeout=settings.shutdown_seconds_max / 2,
        metadata_max_age_ms=METADATA_MAX_AGE_MILLISECONDS,
        apply_types=False,
        logger=logging.getLogger("faststream.kafka"),
        log_level=logging.DEBUG,
    )


def broker_security(servers: KafkaServers) -> BaseSecurity | None:
    """FastStream's words for the same arguments; it hands them on to aiokafka as they are."""
    given = servers.arguments()
    tls = given.get("ssl_context")
    if "sasl_mechanism" in given:
        scram = SASLScram512 if servers.mechanism == "SCRAM-SHA-512" else SASLScram256
        user, password = given["sasl_plain_username"], given["sasl_plain_password"]
        return scram(user, password, ssl_context=tls, use_ssl=True)
    return None if tls is None else BaseSecurity(ssl_context=tls, use_ssl=True)


def idle_wait(settings: "ProjectorSettings") -> BatchWait:
    """Of fetches after an empty poll."""
    return BatchWait(1, settings.fetch_wait_milliseconds_max)


def shared_reader(settings: "ProjectorSettings", topic: str) -> SharedReader:
    """For all projections of a process; `run` it."""
    busy = BatchWait(_SHARED_BYTES_MIN, round(settings.batch_interval_seconds_min * 1000))
    make_tail = partial(Tail, records_max=settings.shared_records_max, bytes_max=settings.shared_bytes_max)
    return SharedReader(
        settings.kafka_servers, topic, idle=idle_wait(settings), busy=busy, make_tail=make_tail,
        rest_seconds=settings.shared_reader_rest_seconds,
    )  # fmt: skip


def subscribe(
    broker: KafkaBroker,
    settings: "ProjectorSettings",
    source: Source,
    *,
    listener: "ConsumerRebalanceListener",
    handler: Callable[[Records], Awaitable[None]],
    following: Following,
) -> PromptBatchSubscriber:
    """Passes every batch of the topic to `handler`, which must not raise: the batch would be lost."""
    idle = idle_wait(settings)
    batch = BatchWait(settings.gather_bytes_min, settings.gather_milliseconds_max)
    subscriber = broker.subscriber(
        Topic(source.topic, declare=False),
        group_id=source.group,
        fetch_min_bytes=idle.bytes_min,
        fetch_max_wait_ms=idle.milliseconds_max,
        consumer_timeout_ms=FETCHER_LOOK_MILLISECONDS,
        batch=True,
        max_records=settings.batch_events_max,
        batch_timeout_ms=settings.poll_wait_milliseconds,
        ack_policy=AckPolicy.MANUAL,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        max_poll_interval_ms=int(settings.max_poll_interval_seconds * 1000),
        session_timeout_ms=int(settings.session_timeout_seconds * 1000),
        heartbeat_interval_ms=int(settings.session_timeout_seconds * 1000 / _HEARTBEATS_PER_SESSION),
        listener=listener,
        parser=_whole_batch,
        decoder=_raw_records,
    )
    if settings.group_member_name:
        # Static membership (KIP-345), for which FastStream has no argument.
        subscriber._connection_args["group_instance_id"] = settings.group_member_name
    # The factory does not let us choose the class; ours adds no slots, so the instance may change to it.
    subscriber.__class__ = PromptBatchSubscriber
    prompt = cast(PromptBatchSubscriber, subscriber)
    prompt.idle_wait, prompt.busy_wait = idle, batch if source.waits_for_batch else idle
    prompt.following = following
    prompt(handler)
    return prompt
