"""Sets the metrics of projections; shared/ops/metrics/projections.py declares them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from projector.applying.records import Delivered, SourceRecord, Unreadable
from projector.applying.stream_fold import Tally
from projector.control.ports import PartitionLag
from shared.ops.metrics.declare import observe_many
from shared.ops.metrics.labels import EVENT_TYPES, OTHER_TYPE
from shared.ops.metrics.projections import (
    BATCH_SECONDS,
    BREAKER_OPEN,
    ERROR_CLASSES,
    ERRORS,
    EVENTS,
    FOLLOWS_SHARED_READER,
    FRESHNESS_SECONDS,
    LAG_EVENTS,
    LAG_SECONDS,
    PARTITIONS_STOPPED,
    POSITION,
    STOPPED,
    VIEW_RESULTS,
    WAITS_FOR_REDIS,
)


class _Place(NamedTuple):
    log_position: int
    recorded_at: datetime | None
    log_id: UUID | None


_NOWHERE = _Place(0, None, None)


class ProjectionMetrics:
    """The metrics of one projection."""

    def __init__(self, projection: str, results: Sequence[str] = VIEW_RESULTS) -> None:
        self._projection = projection
        self._reached: dict[int, _Place] = {}
        self._with_a_lag: set[int] = set()
        self._is_stopped = self._is_without_topic = False
        # By partition: (offset, time) of the first record of the newest batch, and since when records wait.
        self._delivered: dict[int, tuple[int, datetime]] = {}
        self._behind_since: dict[int, datetime] = {}
        for gauge in (STOPPED, PARTITIONS_STOPPED, BREAKER_OPEN, WAITS_FOR_REDIS, FOLLOWS_SHARED_READER):
            gauge.labels(projection).set(0)
        self._events = {
            (event_type, result): EVENTS.labels(projection, event_type, result).inc
            for event_type in (*EVENT_TYPES, OTHER_TYPE)
            for result in results
        }
        for error_class in ERROR_CLASSES:
            ERRORS.labels(projection, error_class)
        self._batch_seconds = BATCH_SECONDS.labels(projection).observe
        self._freshness = FRESHNESS_SECONDS.labels(projection)

    def applied(self, batch: Sequence[Delivered | Unreadable], tally: Tally, seconds: float) -> None:
        """Counts a finished batch. Events before the place that was reached already are duplicates."""
        now = datetime.now(UTC)
        reached = self._reached
        ages = (
            max(0.0, (now - item.event.recorded_at).total_seconds())
            for item in batch
            if isinstance(item, Delivered)
            and item.event.log_position > reached.get(item.partition, _NOWHERE).log_position
        )
        observe_many(self._freshness, ages)
        self._batch_seconds(seconds)
        for (event_type, result), events in tally.items():
            known = event_type if event_type in EVENT_TYPES else OTHER_TYPE
            self._events[known, result](events)

    def delivered(self, records: Sequence[SourceRecord]) -> None:
        """Notes what a batch begins with, before it is applied."""
        for partition, first in {one.partition: one for one in reversed(records)}.items():
            self._delivered[partition] = (first.offset, datetime.fromtimestamp(first.timestamp / 1000, UTC))

    def reached(self, partition: int, log_position: int, recorded_at: datetime, log_id: UUID) -> None:
        """Notes how far a partition is."""
        POSITION.labels(self._projection, partition).set(log_position)
        self._reached[partition] = _Place(log_position, recorded_at, log_id)

    def lag(self, partition: int, next_offset: int, lag_events: int) -> PartitionLag:
        """Measured at intervals, not by batch, so that a stopped projection's lag keeps growing."""
        position, recorded_at, log_id = self._reached.get(partition, _NOWHERE)
        now = datetime.now(UTC)
        oldest = self._oldest_waiting(partition, next_offset, recorded_at, now) if lag_events else now
        if not lag_events:
            self._behind_since.pop(partition, None)
        lag_seconds = max(0.0, (now - oldest).total_seconds())
        self._with_a_lag.add(partition)
        LAG_EVENTS.labels(self._projection, partition).set(lag_events)
        LAG_SECONDS.labels(self._projection, partition).set(lag_seconds)
        return PartitionLag(partition, position, next_offset, lag_events, lag_seconds, None, log_id)

    def counted(
        self, partition: int, next_offset: int, log_position: int, lag_events: int, lag_seconds: float
    ) -> PartitionLag:
        """A lag that was counted in the log."""
        self._with_a_lag.add(partition)
        LAG_EVENTS.labels(self._projection, partition).set(lag_events)
        LAG_SECONDS.labels(self._projection, partition).set(lag_seconds)
        return PartitionLag(partition, log_position, next_offset, lag_events, lag_seconds, None)

    def _oldest_waiting(
        self, partition: int, next_offset: int, projected: datetime | None, now: datetime
    ) -> datetime:
        """When the oldest waiting event was recorded.

        Exact once the record was delivered. Before that it is younger than the newest projected event, and
        not older than the time since which something waits.
        """
        since = self._behind_since.setdefault(partition, now)
        offset, delivered = self._delivered.get(partition, (-1, now))
        if offset >= next_offset:
            self._behind_since[partition] = min(since, delivered)
            return delivered
        return since if projected is None else max(since, projected)

    def forget(self) -> None:
        """Another process has the partitions now: stale gauges would make wrong sums."""
        for gauge, partitions in (
            (POSITION, self._reached),
            (LAG_EVENTS, self._with_a_lag),
            (LAG_SECONDS, self._with_a_lag),
        ):
            for partition in partitions:
                gauge.remove(self._projection, partition)
        for known in (self._reached, self._with_a_lag, self._delivered, self._behind_since):
            known.clear()
        self.waits_for_redis(False)

    def stopped(self, is_stopped: bool) -> None:
        """Whether the projection is stopped."""
        self._is_stopped = is_stopped
        self._set_stopped()

    def without_topic(self, is_without: bool) -> None:
        """Whether its topic does not exist: it goes on by itself when the topic is as it was."""
        self._is_without_topic = is_without
        self._set_stopped()

    def _set_stopped(self) -> None:
        STOPPED.labels(self._projection).set(self._is_stopped or self._is_without_topic)

    def partitions_stopped(self, count: int) -> None:
        """How many partitions are stopped at a hole in the log."""
        PARTITIONS_STOPPED.labels(self._projection).set(count)

    def follows(self, is_following: bool) -> None:
        """Whether the records come from the shared reader."""
        FOLLOWS_SHARED_READER.labels(self._projection).set(is_following)

    def breaker(self, is_open: bool) -> None:
        """Whether parking is refused, because too many products fail."""
        BREAKER_OPEN.labels(self._projection).set(is_open)

    def waits_for_redis(self, is_waiting: bool) -> None:
        """Whether the last attempt failed because Redis is away."""
        WAITS_FOR_REDIS.labels(self._projection).set(is_waiting)
