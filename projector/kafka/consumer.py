"""One projection on its consumer group: places it, applies its batches, waits out outages, or stops loudly.

FastStream polls and hands over batches; where to read from, when to pause and what to commit is decided
here. Partitions are paused from the moment they are assigned until their checkpoints are loaded and sought,
so that no record from a wrong place is ever seen. Whatever goes wrong for a while ends in the same state:
paused, polled on (the group membership lives), and placed again.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from aiokafka import TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import KafkaError

from projector.apply import Projection
from projector.kafka.batch_run import BatchRun
from projector.kafka.batches import Records, subscribe
from projector.kafka.offsets import AppliedOffsets
from projector.kafka.progress import Progress
from projector.kafka.records import FailedRecord, Record
from projector.kafka.starting_points import starting_points
from projector.ports import CannotGoOn, EventLog, Fenced, Unavailable, View
from shared.ops.logs import get_logger

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer
    from faststream.kafka import KafkaBroker

    from projector.settings import ProjectorSettings
    from shared.ops.health import Heartbeat

_KEEP_SECONDS = 0.25
_log = get_logger(__name__)


class ProjectionConsumer(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Drives one `Projection`. States: unassigned, unplaced (paused), placed, stopped (paused)."""

    def __init__(
        self,
        name: str,
        broker: "KafkaBroker",
        settings: "ProjectorSettings",
        projection: Projection,
        view: View,
        log: EventLog,
        *,
        topic: str,
        position_is_committed: bool,
        heartbeat: "Heartbeat",
    ) -> None:
        self.name = name
        self.stopped_because: str | None = None
        self._remedy = "mend the cause, then restart the projector"
        self._settings = settings
        self._view = view
        self._log = log
        self._topic = topic
        self._position_is_committed = position_is_committed
        self.heartbeat = heartbeat
        self._progress = progress = Progress(name)
        self._offsets = AppliedOffsets(name, topic, progress)
        self._batches = BatchRun(name, settings, projection, progress)
        self._assigned: frozenset[TopicPartition] | None = None
        self._placed: dict[int, UUID] = {}
        self._waiting_because = "partitions are not assigned yet"
        self._place_after = 0.0
        self._wake = asyncio.Event()
        self._abandon = asyncio.Event()
        self._busy = asyncio.Lock()
        self._ending = False
        self._keeper: asyncio.Task[None] | None = None
        group = f"{settings.kafka_topic_prefix}{name}"
        self._subscriber = subscribe(broker, settings, topic, group, listener=self, handler=self._handle)

    @property
    def _consumer(self) -> "AIOKafkaConsumer":
        consumer = self._subscriber.consumer
        if consumer is None:
            raise RuntimeError("the subscriber is not started")
        return consumer

    def start(self) -> None:
        """Begin to keep the projection placed; call it after the broker has started."""
        self._keeper = asyncio.create_task(self._keep(), name=f"keep-{self.name}")

    async def stop(self) -> None:
        """Let the batch in hand finish (a retry ends at once), commit, and leave the group."""
        self._ending = True
        self._abandon.set()
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self._subscriber.consumer is not None:
            async with self._busy:
                await self._offsets.commit(self._consumer)
        await self._subscriber.stop()

    async def check(self) -> None:
        """For readiness. Raises `Unavailable` with the reason."""
        if self.stopped_because is not None:
            raise Unavailable(f"stopped: {self.stopped_because}")
        if self._assigned is None:
            raise Unavailable(self._waiting_because)
        if not self._assigned and not self._consumer.partitions_for_topic(self._topic):
            raise Unavailable(f"the topic {self._topic} does not exist")
        if len(self._placed) < len(self._assigned):
            raise Unavailable(self._waiting_because)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Pause before anything else: nothing was fetched between the assignment and this."""
        self._consumer.pause(*assigned)
        self._assigned = frozenset(assigned)
        self._placed = {}
        self._abandon = asyncio.Event()
        self._waiting_because = "checkpoints are being loaded"
        self._place_after = 0.0
        self._wake.set()

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """A batch in hand may still finish; the checkpoint fences it if the successor was faster."""
        self._abandon.set()
        await self._offsets.commit(self._consumer)
        self._assigned = None
        self._placed = {}
        self._waiting_because = "the group rebalances"
        self._offsets.forget()

    async def _keep(self) -> None:
        """Place what is unplaced, commit, measure, and beat, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(_KEEP_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                await self._keep_once()
            except Exception as error:
                _log.exception("keeping the projection failed", projection=self.name)
                self._wait(f"{type(error).__name__}: {error}")

    async def _keep_once(self) -> None:
        # What aiokafka holds against max.poll.interval: seconds since the last poll ended, 0 during one.
        if self._consumer._subscription.fetcher_idle_time <= self._settings.silence_seconds_max:
            self.heartbeat.beat()
        unplaced = self._assigned is not None and len(self._placed) < len(self._assigned)
        if unplaced and self.stopped_because is None and time.monotonic() >= self._place_after:
            await self._place()
        await self._offsets.commit(self._consumer)
        self._offsets.measure(self._consumer)

    async def _place(self) -> None:
        """Load where to go on, seek there, resume."""
        async with self._busy:
            assigned, abandon = self._assigned or frozenset(), self._abandon
            try:
                points = await starting_points(
                    self._consumer,
                    assigned,
                    self._view,
                    self._log,
                    position_is_committed=self._position_is_committed,
                )
            except (Unavailable, KafkaError) as error:
                self._wait(f"{type(error).__name__}: {error}")
                return
            except CannotGoOn as error:
                self._stop(str(error))
                return
            if abandon is not self._abandon or abandon.is_set():
                return
            for tp, point in points.items():
                self._consumer.seek(tp, point.next_offset)
            self._offsets.placed({tp: point.next_offset for tp, point in points.items()})
            self._placed = {tp.partition: point.log_id for tp, point in points.items()}
            self._consumer.resume(*assigned)
            _log.info("projecting", projection=self.name, partitions=sorted(self._placed))

    async def _handle(self, records: Records) -> None:
        """FastStream's handler. Never raises: an error would only be logged, and the records be lost."""
        async with self._busy:
            # Records of a partition that is not placed will come again after the seek.
            wanted = [record for record in records if record.partition in self._placed]
            if not wanted or self._ending or self.stopped_because is not None:
                return
            try:
                await self._process(wanted, self._abandon)
            except Exception as error:
                _log.critical("a defect stops the projection", projection=self.name, exc_info=error)
                self._stop(f"defect: {type(error).__name__}: {error}")

    async def _process(self, records: Sequence[Record], abandon: asyncio.Event) -> None:
        try:
            outcome = await self._batches.run(records, self._placed, abandon)
        except (Fenced, Unavailable) as error:
            if abandon is self._abandon and not abandon.is_set():
                self._give_back(error)
            return
        if abandon is self._abandon and self._assigned is not None:
            # Not when the partitions were taken away meanwhile: then they are the successor's to commit.
            self._offsets.reached(outcome.applied)
        if outcome.failed is not None:
            self._fail(outcome.failed)

    def _give_back(self, error: Fenced | Unavailable) -> None:
        """The batch comes again: at once from where the checkpoint is now, or after a pause."""
        if isinstance(error, Fenced):
            _log.warning("fenced, reloading the checkpoints", projection=self.name, reason=str(error))
            self._wait(str(error), seconds=0)
        else:
            self._wait(str(error))

    def _wait(self, reason: str, *, seconds: float | None = None) -> None:
        """Pause and be placed again after a while; what was in hand comes again after the seek."""
        delay = self._settings.pause_seconds if seconds is None else seconds
        if delay:
            _log.error("projection paused", projection=self.name, reason=reason, pause_seconds=delay)
        self._waiting_because = reason
        self._pause()
        self._place_after = time.monotonic() + delay
        self._wake.set()

    def _fail(self, failed: FailedRecord) -> None:
        """An event that can never be applied. The seam for parking it: here the raw record is at hand."""
        told = failed.for_people()
        _log.critical("an event cannot be projected", projection=self.name, **told)
        self._stop(f"{told['topic']}[{told['partition']}]@{told['offset']}: {failed.cause}")

    def _stop(self, reason: str) -> None:
        """Red until an operator acts. The partitions stay ours: others would meet the same event."""
        self.stopped_because = f"{reason}; {self._remedy}"
        self._pause()
        self._progress.stopped()
        _log.critical(
            "projection stopped",
            projection=self.name,
            reason=reason,
            remedy=self._remedy,
        )

    def _pause(self) -> None:
        self._placed = {}
        if self._assigned is not None:
            self._consumer.pause(*self._assigned)
