"""One projection on its consumer group: places it, applies its batches, waits during outages, or stops.

FastStream polls and passes batches; this module decides where to read from, when to pause and what to commit.
Partitions stay paused until their checkpoints are loaded and sought, so no record from a wrong place is read.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener

from projector.control.ports import Control, PartitionLag
from projector.errors import CannotGoOn, NotYet, Unavailable
from projector.kafka.batch_interval import at_intervals
from projector.kafka.batches import Records, subscribe
from projector.kafka.consumer_state import UNKNOWN_REVISION, ConsumerState
from projector.kafka.continuity import Continuity
from projector.kafka.following import Following
from projector.kafka.halts import Halts
from projector.kafka.lags import Lags, LogCount
from projector.kafka.metrics import ProjectionMetrics
from projector.kafka.named_member import NamedMember
from projector.kafka.offsets import AppliedOffsets
from projector.kafka.shared_reader import SharedReader
from projector.kafka.starting_points import StartingPoints, remedy
from projector.kafka.work import Source, Work
from shared.kafka.errors import KAFKA_IS_AWAY
from shared.ops.concurrency.waits import cancelled, pause, until_turn
from shared.ops.error_text import named
from shared.ops.logs import get_logger

if TYPE_CHECKING:
    from faststream.kafka import KafkaBroker

    from projector.settings import ProjectorSettings
    from shared.ops.health import Heartbeat

_KEEP_SECONDS = 1.0
_log = get_logger(__name__)


class ProjectionConsumer(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Drives one projection's `Work`."""

    def __init__(
        self, name: str, broker: "KafkaBroker", settings: "ProjectorSettings", source: Source, work: Work,
        points: StartingPoints, *, count: LogCount | None, metrics: ProjectionMetrics, heartbeat: "Heartbeat",
        reader: SharedReader | None = None,
    ) -> None:  # fmt: skip
        self.name = name
        self.topic = source.topic
        self.heartbeat = heartbeat
        self._state = ConsumerState(NamedMember(name, settings.group_member_name))
        self._placement = self._state.placement
        self._settings = settings
        self._work = work
        self._points = points
        self._continuity = Continuity(remedy(name))
        self._metrics = metrics
        self._offsets = AppliedOffsets(name, source.topic, metrics)
        self._lags = Lags(source.topic, self._offsets, self._placement, metrics, count)
        self._wake, self._abandon, self._busy = asyncio.Event(), asyncio.Event(), asyncio.Lock()
        self._ending = False
        self._keeper: asyncio.Task[None] | None = None
        self._following = Following(
            name, source.topic, reader,
            batch_wait_seconds=settings.gather_milliseconds_max / 1000 if source.waits_for_batch else 0.0,
            records_max=settings.batch_events_max, may_begin=self._may_follow,
            changed=self._reads_elsewhere,
        )  # fmt: skip
        self._subscriber = subscribe(
            broker, settings, source, listener=self, handler=self._handle, following=self._following
        )
        self._halts = Halts(
            name, source.topic, self._state, metrics, self._subscriber, self._wake,
            pause_seconds=settings.pause_seconds,
        )  # fmt: skip

    @property
    def _consumer(self) -> AIOKafkaConsumer:
        assert self._subscriber.consumer is not None, "the subscriber is not started"
        return self._subscriber.consumer

    async def stand_by(self, trouble: str) -> None:
        """It cannot join its group yet, for this trouble; meanwhile its lag is counted in the log."""
        self._state.measured = await self._lags.outside(trouble)

    def start(self) -> None:
        """Begin to keep the projection placed; call it after the broker has started."""
        self._keeper = asyncio.create_task(self._keep(), name=f"keep-{self.name}")

    async def stop(self) -> None:
        """Let the running batch finish (a retry ends at once), commit, and leave the group."""
        self._ending = True
        self._abandon.set()
        self._following.drop()
        if self._keeper is not None:
            await cancelled(self._keeper)
        if self._subscriber.consumer is not None:
            async with self._busy:
                await self._offsets.commit(self._consumer)
        await self._subscriber.stop()

    async def check(self) -> None:
        """For readiness. Raises `Unavailable` or `OnlyAnOperatorHelps` with the reason."""
        self._state.check()
        if self._placement.assigned == frozenset() and not self._consumer.partitions_for_topic(self.topic):
            raise Unavailable(f"the topic {self.topic} does not exist")

    def obey(self, control: Control) -> None:
        """Pause or continue, as an operator requested; a running batch is finished first."""
        before, self._state.control = self._state.control, control
        if control.is_paused and not before.is_paused:
            self._halts.wait(f"paused by an operator: {control.reason}", seconds=0)
        elif not control.is_paused and control.revision != before.revision != UNKNOWN_REVISION:
            self._state.stopped_because = None
            self._metrics.stopped(False)
            self._work.resumed()
            self._placement.look_again()
            # Again from the checkpoints, which may have been set back meanwhile.
            self._halts.wait("resumed by an operator", seconds=0)

    def lags(self) -> list[PartitionLag]:
        """By partition; see `ConsumerState`."""
        return self._state.lags()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Pause before anything else, so that nothing is fetched between the assignment and this."""
        self._consumer.pause(*assigned)
        self._state.member.joined(self._consumer._coordinator)
        self._placement.assign(assigned)
        self._abandon = asyncio.Event()
        self._wake.set()

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """A running batch may still finish; the checkpoint fences it if the successor was faster.

        Nothing is placed from the first moment on: during the commit, polling goes on.
        """
        self._abandon.set()
        self._following.drop()
        self._state.revoke()
        await self._offsets.commit(self._consumer)
        self._offsets.forget()
        self._work.revoked()

    def _may_follow(self) -> Mapping[int, int] | None:
        """Where each partition goes on, if all are placed."""
        placed, assigned = self._placement.placed, self._placement.assigned
        if self._ending or self._state.is_held or not placed or len(placed) != len(assigned or ()):
            return None
        return self._continuity.next_offsets(placed)

    def _reads_elsewhere(self, is_following: bool) -> None:
        self._offsets.read_elsewhere()
        self._metrics.follows(is_following)

    async def _keep(self) -> None:
        """Place unplaced partitions, commit, measure lag, and send the heartbeat, until cancelled."""
        while True:
            await pause(until_turn(_KEEP_SECONDS), self._wake)
            self._wake.clear()
            try:
                await self._keep_once()
            except Exception as error:
                _log.exception("a round of the consumer's upkeep failed", projection=self.name)
                self._halts.wait(named(error))

    async def _keep_once(self) -> None:
        if dead := self._subscriber.dead_task():
            if self._state.stopped_because is None:
                self._halts.stop(dead, remedy="restart this process")
            return  # without a heartbeat
        # aiokafka compares this with max.poll.interval: seconds since the last poll ended, 0 during one.
        if self._consumer._subscription.fetcher_idle_time <= self._settings.silence_seconds_max:
            self.heartbeat.beat()
        if not self._state.is_held and (due := self._placement.due()):
            await self._place(due)
        await self._offsets.commit(self._consumer)
        self._state.measured = await self._lags.measure(self._following.reading(self._consumer))
        if (short := self._offsets.beyond_its_end()) is not None:
            self._halts.wait(f"partition {short} ends before the place of the projection", seconds=0)
        self._metrics.partitions_stopped(len(self._placement.stops))

    async def _place(self, due: Sequence[TopicPartition]) -> None:
        """Load the checkpoints (or the committed offsets, if there are none), seek there, resume."""
        async with self._busy:
            abandon, revision = self._abandon, self._state.control.revision
            await self._offsets.commit(self._consumer)
            try:
                points = await self._points.find(self._consumer, due)
            except (Unavailable, *KAFKA_IS_AWAY) as error:
                self._halts.wait(named(error), is_usual=isinstance(error, NotYet))
                return
            except CannotGoOn as error:
                is_old = revision != self._state.control.revision  # an operator has acted meanwhile
                self._halts.wait(str(error), seconds=0) if is_old else self._halts.stop(str(error))
                return
            if abandon is not self._abandon or abandon.is_set():
                return
            for tp, point in points.items():
                self._consumer.seek(tp, point.seek_offset)
            self._continuity.begin(points)
            self._offsets.placed({tp: point.next_offset for tp, point in points.items()})
            self._placement.place({tp.partition: point.log_id for tp, point in points.items()})
            self._placement.reach({tp.partition: point.next_offset for tp, point in points.items()})
            self._consumer.resume(*points)
            _log.info("projecting", projection=self.name, partitions=sorted(self._placement.placed))

    async def _handle(self, records: Records) -> None:
        """FastStream's handler; it polls again when this ends."""
        # The shared reader keeps the interval for all of its followers.
        seconds = 0.0 if self._following.is_on else self._settings.batch_interval_seconds_min
        await at_intervals(self._apply, records, seconds, self._abandon)

    async def _apply(self, records: Records) -> None:
        """Never raises: an error would only be logged, and the records lost."""
        async with self._busy:
            placed, abandon = self._placement.placed, self._abandon
            if self._ending or self._state.is_held:
                return
            try:
                if not (wanted := self._continuity.new(records, placed)):
                    return
                with self._state.waiting.attempts(abandon):
                    outcome = await self._work.run(wanted, placed, abandon)
            except Exception as error:
                if abandon is self._abandon and not abandon.is_set():
                    self._halts.give_back(error)
                return
            if abandon is self._abandon and self._placement.assigned is not None:
                # Not if the partitions were revoked meanwhile: then the successor commits them.
                self._placement.reach(self._offsets.reached(outcome.done))
                for partition, stop in outcome.stopped.items():
                    self._halts.stop_partition(partition, stop)
