"""The lag of each partition of a consumer: from Kafka, or counted in the log where Kafka cannot tell.

A process that does not get into its group counts, too, for partitions that nobody reads. Otherwise the lag
would be unknown, and no alert would fire, while every projector waits for a broker that is lost.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from projector.control.ports import WAITS_FOR_KAFKA, LastReport, PartitionLag
from projector.errors import ProjectorError
from projector.kafka.lag_in_log import CountedLag, CountedLog, count_lag
from projector.kafka.metrics import ProjectionMetrics
from projector.kafka.offsets import AppliedOffsets
from projector.kafka.placement import STOPPED, Placement
from shared.ops.logs import get_logger

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer

# A rebalance, a restart of a broker or a slow answer is shorter.
SILENCE_SECONDS_MAX = 10.0
_COUNT_SECONDS = 2.0
REPORT_SECONDS_MAX = 3.0
"""An older report is not of now: who reads a partition reports once a second."""
_SOURCE = "the lag is counted in the log"
Reports = Callable[[], Awaitable[Mapping[int, LastReport]]]
_log = get_logger(__name__)


class LogCount:
    """Counts one projection's lag in the log, at most every two seconds. `reports` reads the last ones."""

    def __init__(
        self,
        log: CountedLog,
        positions: Callable[[], Awaitable[Mapping[int, int]]],
        reports: Reports,
        partition_count: int,
    ) -> None:
        self.partition_count = partition_count
        self._log = log
        self._positions = positions
        self._last_reports = reports
        self._counted: Mapping[int, CountedLag] = {}
        self._reports: Mapping[int, LastReport] = {}
        self._count_after = 0.0

    async def lags(self) -> Mapping[int, CountedLag]:
        """The last count that succeeded; empty before the first."""
        now = time.monotonic()
        if now >= self._count_after:
            self._count_after = now + _COUNT_SECONDS
            try:
                self._counted = await count_lag(self._log, await self._positions(), self.partition_count)
                self._reports = await self._last_reports()
            except ProjectorError as error:
                _log.warning("cannot count the lag in the log", reason=str(error))
        return self._counted

    async def unread(self) -> Mapping[int, tuple[int, CountedLag]]:
        """The same for partitions that no process reads, each with the offset that was reported last."""
        counted = await self.lags()
        reports = {at: self._reports.get(at, LastReport(0, is_by_reader=False)) for at in counted}
        return {at: (one.next_offset, counted[at]) for at, one in reports.items() if not one.is_by_reader}


class Lags:
    """Of one consumer. `clock` gives monotonic seconds."""

    def __init__(
        self,
        topic: str,
        offsets: AppliedOffsets,
        placement: Placement,
        metrics: ProjectionMetrics,
        count: LogCount | None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._topic = topic
        self._offsets = offsets
        self._placement = placement
        self._metrics = metrics
        self._count = count
        self._clock = clock
        self._well_at = clock()
        self._is_outside = False

    async def outside(self, trouble: str) -> Sequence[PartitionLag]:
        """Of the partitions that nobody reads, while this process is not in the group.

        A start or a rebalance is shorter than the time before the first one.
        """
        if self._count is None or self._clock() - self._well_at < SILENCE_SECONDS_MAX:
            return []
        unread = await self._count.unread()
        self._metrics.forget()
        self._is_outside = True
        return [
            self._metrics.counted(at, offset, *counted)._replace(trouble=f"{trouble}; {_SOURCE}")
            for at, (offset, counted) in unread.items()
        ]

    async def measure(self, consumer: "AIOKafkaConsumer") -> Sequence[PartitionLag]:
        """Of each partition that this process has; of all, if the topic does not exist."""
        if self._placement.assigned is None:
            return await self.outside(f"{WAITS_FOR_KAFKA}{self._placement.waiting_because}")
        if self._is_outside:
            self._metrics.forget()
            self._is_outside = False
        lags = await self._offsets.measure(consumer)
        if self._count is None:
            return lags
        missing, reason = self._untold(consumer, lags)
        if not missing:
            self._well_at = self._clock()
            self._metrics.without_topic(False)
            return lags
        if self._clock() - self._well_at < SILENCE_SECONDS_MAX and reason is not None:
            return lags
        self._metrics.without_topic(reason is not None and reason.startswith(STOPPED))
        counted = await self._count.lags()
        known = {lag.partition: lag for lag in lags if lag.partition not in missing}
        for partition in missing & counted.keys():
            one = counted[partition]
            offset = self._offsets.next_offset(partition)
            known[partition] = self._metrics.counted(partition, offset, *one)._replace(trouble=reason)
        return list(known.values())

    def _untold(
        self, consumer: "AIOKafkaConsumer", lags: Sequence[PartitionLag]
    ) -> tuple[set[int], str | None]:
        """The partitions whose lag Kafka does not tell, and why, if the placement does not know."""
        assert self._count is not None
        assigned = self._placement.assigned
        if not assigned:
            if consumer.partitions_for_topic(self._topic):
                return set(), None
            everything = set(range(self._count.partition_count))
            remedy = "python -m command_api remake-topics"
            return everything, f"{STOPPED}the topic {self._topic} does not exist: {remedy}; {_SOURCE}"
        if self._offsets.silent_seconds(consumer) > SILENCE_SECONDS_MAX:
            return {tp.partition for tp in assigned}, f"Kafka does not answer; {_SOURCE}"
        unplaced = {tp.partition for tp in assigned} - {lag.partition for lag in lags}
        return unplaced, None
