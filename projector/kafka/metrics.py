"""The metrics of projections: declared here, set here."""

from contextlib import suppress
from datetime import UTC, datetime

from prometheus_client import Counter, Gauge, Histogram

from projector.applying.stream_fold import Tally
from projector.control.ports import PartitionLag

EVENTS = Counter(
    "projector_events_total",
    "Events by result: applied, duplicate, skipped, gap_filled or parked.",
    ["projection", "type", "result"],
)
LAG_EVENTS = Gauge(
    "projection_lag_events", "Records of the partition not yet projected.", ["projection", "partition"]
)
LAG_SECONDS = Gauge(
    "projection_lag_seconds",
    "Age of the newest projected event while more events wait; 0 if none wait.",
    ["projection", "partition"],
)
POSITION = Gauge(
    "projection_position", "Log position of the last event projected.", ["projection", "partition"]
)
BATCH_SECONDS = Histogram(
    "projection_batch_seconds",
    "Time from the receipt of a batch to its commit, with retries.",
    ["projection"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
STOPPED = Gauge("projection_stopped", "1 while the projection is stopped.", ["projection"])
PARTITIONS_STOPPED = Gauge(
    "projection_partitions_stopped", "Partitions that are stopped at a hole in the log.", ["projection"]
)
BREAKER_OPEN = Gauge(
    "projection_breaker_open", "1 while too many products fail and no more are parked.", ["projection"]
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
