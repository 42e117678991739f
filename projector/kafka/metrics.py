"""The metrics of projections: declared here, set here."""

from contextlib import suppress
from datetime import UTC, datetime

from projector.applying.stream_fold import Tally
from projector.control.ports import PartitionLag
from shared.ops.metrics.projections import (
    BATCH_SECONDS,
    BREAKER_OPEN,
    EVENTS,
    LAG_EVENTS,
    LAG_SECONDS,
    PARTITIONS_STOPPED,
    POSITION,
    STOPPED,
)


class ProjectionMetrics:
    """The metrics of one projection."""

    def __init__(self, projection: str) -> None:
        self._projection = projection
        self._reached: dict[int, tuple[int, datetime]] = {}
        for gauge in (STOPPED, PARTITIONS_STOPPED, BREAKER_OPEN):
            gauge.labels(projection).set(0)

    def applied(self, tally: Tally, seconds: float) -> None:
        """Counts a finished batch."""
        BATCH_SECONDS.labels(self._projection).observe(seconds)
        for (event_type, result), events in tally.items():
            EVENTS.labels(self._projection, event_type, result).inc(events)

    def reached(self, partition: int, log_position: int, recorded_at: datetime) -> None:
        """Notes how far a partition is."""
        POSITION.labels(self._projection, partition).set(log_position)
        self._reached[partition] = (log_position, recorded_at)

    def lag(self, partition: int, next_offset: int, lag_events: int) -> PartitionLag:
        """Measured at intervals, not by batch, so that a stopped projection's lag keeps growing."""
        position, recorded_at = self._reached.get(partition, (0, None))
        lag_seconds = (datetime.now(UTC) - recorded_at).total_seconds() if lag_events and recorded_at else 0.0
        LAG_EVENTS.labels(self._projection, partition).set(lag_events)
        LAG_SECONDS.labels(self._projection, partition).set(lag_seconds)
        return PartitionLag(partition, position, next_offset, lag_events, lag_seconds, None)

    def forget(self) -> None:
        """Another process has the partitions now: stale gauges would make wrong sums."""
        for partition in self._reached:
            for gauge in (LAG_EVENTS, LAG_SECONDS, POSITION):
                with suppress(KeyError):  # a lag that was never measured
                    gauge.remove(self._projection, str(partition))
        self._reached.clear()

    def stopped(self, is_stopped: bool) -> None:
        """Whether the projection is stopped."""
        STOPPED.labels(self._projection).set(is_stopped)

    def partitions_stopped(self, count: int) -> None:
        """How many partitions are stopped at a hole in the log."""
        PARTITIONS_STOPPED.labels(self._projection).set(count)

    def breaker(self, is_open: bool) -> None:
        """Whether parking is refused, because too many products fail."""
        BREAKER_OPEN.labels(self._projection).set(is_open)
