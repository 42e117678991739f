"""How a projection halts: it waits and is placed again, a partition stops, or all of it stops.

Its partitions are paused. Polling goes on, so the group keeps this member.
"""

import asyncio
from typing import TYPE_CHECKING

from aiokafka import TopicPartition

from projector.errors import CannotGoOn, Fenced, PassedOver, ProjectorError
from projector.kafka.batches import PromptBatchSubscriber
from projector.kafka.consumer_state import ConsumerState
from projector.kafka.following import Following
from projector.kafka.metrics import ProjectionMetrics
from projector.kafka.placement import Stop
from shared.ops.error_text import named
from shared.ops.logs import get_logger

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer

_log = get_logger(__name__)


class Halts:
    """Of one projection. `wake` is set when it is to be placed again."""

    def __init__(
        self, name: str, topic: str, state: ConsumerState, metrics: ProjectionMetrics,
        subscriber: PromptBatchSubscriber, wake: asyncio.Event, *, pause_seconds: float,
    ) -> None:  # fmt: skip
        self._name = name
        self._topic = topic
        self._state = state
        self._metrics = metrics
        self._subscriber = subscriber
        self._wake = wake
        self._pause_seconds = pause_seconds

    @property
    def _following(self) -> Following:
        return self._subscriber.following

    @property
    def _consumer(self) -> "AIOKafkaConsumer":
        assert self._subscriber.consumer is not None, "the subscriber is not started"
        return self._subscriber.consumer

    def give_back(self, error: Exception) -> None:
        """The batch is delivered again: at once from the new checkpoint, or after a pause."""
        if isinstance(error, Fenced):
            _log.warning("fenced, reloading the checkpoints", projection=self._name, reason=str(error))
            self.wait(str(error), seconds=0)
        elif isinstance(error, PassedOver):
            _log.warning(
                "records were passed over, reading again from the checkpoints", projection=self._name,
                reason=str(error),
            )  # fmt: skip
            self.wait(str(error), seconds=0)
        elif isinstance(error, CannotGoOn):
            self.stop(str(error))
        elif isinstance(error, ProjectorError):
            self.wait(str(error))
        else:
            _log.error("an unknown error lasts", projection=self._name, exc_info=error)
            self.wait(named(error))

    def wait(self, reason: str, *, seconds: float | None = None, is_usual: bool = False) -> None:
        """Pause, and be placed again after a while; the records are delivered again after the seek."""
        write = _log.info if is_usual else _log.error
        delay = self._pause_seconds if seconds is None else seconds
        if delay:
            write("projection waits", projection=self._name, reason=reason, pause_seconds=delay)
        self._pause()
        self._state.placement.wait(reason, delay)
        self._wake.set()

    def stop_partition(self, partition: int, stop: Stop) -> None:
        """The other partitions go on."""
        self._following.end(self._consumer)
        self._consumer.pause(TopicPartition(self._topic, partition))
        self._state.placement.stop(partition, stop)
        if stop.is_loud:
            self._metrics.partitions_stopped(len(self._state.placement.stops))
            _log.critical(
                "partition stopped", projection=self._name, partition=partition, offset=stop.offset,
                reason=stop.reason, pause_seconds=stop.seconds,
            )  # fmt: skip

    def stop(self, reason: str, *, remedy: str = "repair the cause, then resume the projection") -> None:
        """Not ready until an operator acts. The partitions stay here: another process would fail, too."""
        self._state.stopped_because = f"{reason}; {remedy}"
        self._pause()
        self._metrics.stopped(True)
        _log.critical("projection stopped", projection=self._name, reason=reason, remedy=remedy)

    def _pause(self) -> None:
        self._following.drop()
        self._state.placement.placed = {}
        if self._state.placement.assigned is not None:
            self._consumer.pause(*self._state.placement.assigned)
