"""Joins the consumer groups once there is a broker; until then each projection says what it waits for."""

import asyncio
from collections.abc import Sequence

from faststream.kafka import KafkaBroker

from projector.control.ports import WAITS_FOR_KAFKA
from projector.errors import Unavailable
from projector.kafka.consumer import ProjectionConsumer
from projector.settings import ProjectorSettings
from shared.kafka.errors import KAFKA_IS_AWAY
from shared.kafka.topics import KafkaUnavailable, TopicsAreWrong, TopicSpec, ensure_topics
from shared.ops.concurrency.waits import every, stopped
from shared.ops.error_text import named
from shared.ops.health import Check
from shared.ops.logs import get_logger
from shared.ops.retry import RetryPolicy, retry_transient

_NOT_THERE_YET = (*KAFKA_IS_AWAY, KafkaUnavailable)
_TOPICS_ATTEMPT = RetryPolicy("projector-topics", 0.1, 1.0, budget_seconds=1.0)
_POLICY = RetryPolicy("projector-start", 0.2, 5.0, budget_seconds=None)
_STAND_BY_SECONDS = 1.0
_log = get_logger(__name__)


class Joining:
    """The start of all consumers of a process."""

    def __init__(self) -> None:
        self._waits_for: str | None = "the databases are asked first"

    def then(self, check: Check) -> Check:
        """A check for readiness that says what the start waits for, and is `check` after it."""

        async def ask() -> None:
            if self._waits_for is not None:
                raise Unavailable(self._waits_for)
            await check()

        return ask

    async def join(
        self,
        broker: KafkaBroker,
        settings: ProjectorSettings,
        topics: Sequence[Sequence[TopicSpec]],
        consumers: Sequence[ProjectionConsumer],
        stop: asyncio.Event,
    ) -> bool:
        """Join the groups as soon as Kafka can be reached; false if `stop` comes before that."""
        self._waits_for = f"{WAITS_FOR_KAFKA}no answer yet"

        async def attempt() -> None:
            beat(consumers)
            try:
                await _connected(broker, settings, topics)
            except _NOT_THERE_YET as error:
                self._waits_for = f"{WAITS_FOR_KAFKA}{named(error)}"
                raise

        async def stand_by() -> None:
            for consumer in consumers:
                await consumer.stand_by(self._waits_for or "")

        standing_by = asyncio.create_task(every(_STAND_BY_SECONDS, stop, stand_by))
        try:
            await retry_transient(
                _POLICY, attempt, is_transient=lambda error: isinstance(error, _NOT_THERE_YET), stop=stop
            )
        except _NOT_THERE_YET:
            if not stop.is_set():
                raise
            return False
        finally:
            await stopped(standing_by)
        self._waits_for = None
        for consumer in consumers:
            consumer.start()
        return True


def beat(consumers: Sequence[ProjectionConsumer]) -> None:
    """Waiting for a server is no reason for a restart."""
    for consumer in consumers:
        consumer.heartbeat.beat()


async def _connected(
    broker: KafkaBroker, settings: ProjectorSettings, topics: Sequence[Sequence[TopicSpec]]
) -> None:
    await asyncio.gather(*(_make_topics(settings, some) for some in topics))
    try:
        await broker.start()
    except KAFKA_IS_AWAY:
        await broker.stop()
        raise


async def _make_topics(settings: ProjectorSettings, topics: Sequence[TopicSpec]) -> None:
    """Before a consumer looks for them. A wrong topic stops only its own projection, which checks again."""
    if topics:
        try:
            await ensure_topics(settings.kafka_servers, topics, policy=_TOPICS_ATTEMPT)
        except TopicsAreWrong as error:
            _log.critical("a topic has wrong settings", reason=str(error))
