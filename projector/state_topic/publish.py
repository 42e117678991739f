"""Publishes the table of states to the compacted topic, one partition at a time.

The table is the truth: a row waits while its `published_version` is behind, for any reason. Why the last
record of a product is always its newest state, even after kills, pauses and duplicates: a channel is opened
before rows are read; opening it fences every other writer of that partition (Kafka's transactional id, one
per partition); and rows only ever get newer. So a record that is written after a fence was read after it,
too, and is at least as new as all records before it. The whole argument:
docs/decisions/0006-products-state-topic.md.
"""

import asyncio
import math
import time
from collections.abc import Collection, Sequence

from projector.control.ports import Control, PartitionLag
from projector.control.trouble import Trouble
from projector.errors import Fenced
from projector.state_topic.ports import Portion, State, StateChannel, StateTable, StateTopic
from projector.state_topic.publish_spans import AwaitedStates
from shared.ops.concurrency.burst_pace import BurstPace, Pauses
from shared.ops.concurrency.waits import cancelled
from shared.ops.measuring import unknown
from shared.ops.metrics.states import STATES_FENCED, STATES_PUBLISHED, STATES_WAITING, STATES_WAITING_SECONDS

# A channel holds one chunk in memory; other channels wait.
_PARTITIONS_AT_ONCE = 4
_NO_LONGER_PAUSES = Pauses(0.1, 0.1)


class StatePublisher:
    """Publishes the partitions that this process's consumer has. A `Controlled` for pause and resume.

    A round begins a pause after the end of the one before it (the changes meanwhile are one transaction),
    after an error `trouble_seconds`; every `look_seconds` the table is read for rows that wait.
    """

    def __init__(
        self,
        name: str,
        table: StateTable,
        topic: StateTopic,
        *,
        topic_name: str,
        pauses: Pauses = _NO_LONGER_PAUSES,
        look_seconds: float = 2.0,
        trouble_seconds: float = 1.0,
    ) -> None:
        self.name = name
        self.topic = topic_name
        self.awaited = AwaitedStates(topic_name)
        self._table = table
        self._states = topic
        self._pace = BurstPace(pauses)
        self._look_seconds = look_seconds
        self._trouble_seconds = trouble_seconds
        self._owned: set[int] = set()
        self._unchecked: set[int] = set()
        self._dirty: set[int] = set()
        self._channels: dict[int, StateChannel] = {}
        self._woken = asyncio.Event()
        self._woken_at = -math.inf
        self._limit = asyncio.Semaphore(_PARTITIONS_AT_ONCE)
        self._is_paused = False
        self._trouble = Trouble(name, "states are not published")

    def own(self, partitions: Collection[int]) -> None:
        """This process has the partitions now, with the rows that the last process left unpublished."""
        self._owned.update(partitions)
        self._unchecked.update(partitions)
        self.wake(partitions)

    def release(self) -> None:
        """Another process has them now. This is no fence: the successor's channel is."""
        for partitions in (self._owned, self._unchecked, self._dirty):
            partitions.clear()
        self._begin()

    def wake(self, partitions: Collection[int]) -> None:
        """Rows of these partitions were written."""
        dirty = self._owned.intersection(partitions)
        if dirty:
            self._dirty.update(dirty)
            self._begin()

    def obey(self, control: Control) -> None:
        """A paused projection publishes nothing."""
        was_paused, self._is_paused = self._is_paused, control.is_paused
        if was_paused and not control.is_paused:
            self.wake(self._owned)

    def lags(self) -> Sequence[PartitionLag]:
        """None: the metric `states_waiting` counts the rows that wait."""
        return ()

    async def check(self) -> None:
        """For readiness. Raises `Unavailable` with the reason."""
        self._trouble.check()

    async def run(self) -> None:
        """Until cancelled; the next owner reads again what was being published then."""
        looking = asyncio.create_task(self._look_forever())
        try:
            ended_at = -math.inf
            while True:
                await self._woken.wait()
                self._woken.clear()
                quiet_seconds = self._woken_at - ended_at
                await self._round()
                ended_at = time.monotonic()
                pause = self._pace.after_round(quiet_seconds=quiet_seconds)
                await asyncio.sleep(self._trouble_seconds if self._trouble.lasts else pause)
        finally:
            await cancelled(looking)
            await asyncio.gather(*(channel.abandon() for channel in self._channels.values()))

    def _begin(self) -> None:
        if not self._woken.is_set():
            self._woken_at = time.monotonic()
            self._woken.set()

    async def _look_forever(self) -> None:
        """Finds rows without a wake-up: of a retry, of a rebuild, of a process that was killed."""
        while True:
            await asyncio.sleep(self._look_seconds)
            try:
                waiting = await self._table.waiting(self._owned)
            except Exception as error:
                unknown((STATES_WAITING, STATES_WAITING_SECONDS))
                self._trouble.tell(error)
            else:
                STATES_WAITING.set(sum(one.states for one in waiting.values()))
                STATES_WAITING_SECONDS.set(max((one.oldest_seconds for one in waiting.values()), default=0.0))
                self.wake(waiting)

    async def _round(self) -> None:
        try:
            for partition in self._channels.keys() - self._owned:
                await self._channels.pop(partition).close()
            if not self._is_paused:
                await self._check_topic()
                await self._publish_dirty()
        except Exception as error:
            self._trouble.tell(error)
            self._begin()
        else:
            self._trouble.tell(None)

    async def _publish_dirty(self) -> None:
        """Publishes all of them; those that fail stay dirty, and the first error is raised at the end.

        Partitions whose channels are open are read together, and their last portions are marked together.
        """
        dirty, self._dirty = self._dirty, set()
        done: list[State] = []
        try:
            ready = self._channels.keys() & dirty
            portions = await self._table.unpublished(ready) if ready else {}
            outcomes = await asyncio.gather(
                *(self._publish(at, portions.get(at), done) for at in dirty), return_exceptions=True
            )
            if done:
                await self._table.published(done)
        except BaseException:
            self._dirty |= self._owned & dirty
            raise
        failures = {at: one for at, one in zip(dirty, outcomes, strict=True) if one is not None}
        self._dirty |= self._owned & failures.keys()
        self._unchecked |= self._owned & failures.keys()
        for failure in failures.values():
            raise failure

    async def _check_topic(self) -> None:
        """If the topic was created again, it has lost the states that the table counts as published."""
        unchecked = set(self._unchecked)
        if unchecked:
            empty = await self._states.empty(unchecked)
            if empty:
                await self._table.topic_lost(empty)
            self._unchecked -= unchecked

    async def _publish(self, partition: int, portion: Portion | None, done: list[State]) -> None:
        """Publishes the partition until no row waits; one that is written meanwhile wakes the next round.

        `portion` None: its channel is to be opened first. The last portion is left to the caller, in `done`.
        """
        async with self._limit:
            if portion is None and not (await self._unpublished(partition)).states:
                return
            try:
                if portion is None:
                    self._channels[partition] = await self._states.open(partition)
                while partition in self._owned and not self._is_paused:
                    states, are_all = portion or await self._unpublished(partition)
                    portion = None
                    if not states:
                        return
                    with self.awaited.publishing(states, partition):
                        await self._channels[partition].publish(states)
                    deleted = sum(state.document is None for state in states)
                    STATES_PUBLISHED.labels("tombstone").inc(deleted)
                    STATES_PUBLISHED.labels("document").inc(len(states) - deleted)
                    if are_all:
                        done.extend(states)
                        return
                    await self._table.published(states)
            except BaseException as error:
                channel = self._channels.pop(partition, None)
                if channel is not None:
                    await channel.abandon()
                if isinstance(error, Fenced):
                    STATES_FENCED.inc()
                raise

    async def _unpublished(self, partition: int) -> Portion:
        return (await self._table.unpublished([partition]))[partition]
