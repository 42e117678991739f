"""The last quarter of an hour, kept in the memory of the process: enough to see when something began.

What lasts longer is in the metrics. A new process begins without a past.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from query_api.errors import Unavailable
from query_api.status.status import StatusNow, TellStatus
from shared.ops.measuring import Measurement

HISTORY_SECONDS = 900.0
_SAMPLE_SECONDS_MAX = 4.0


@dataclass(frozen=True, slots=True)
class ProjectionSample:
    """How one projection was; lags are None where they were not known."""

    position: int
    lag_events: int | None
    lag_seconds: float | None


@dataclass(frozen=True, slots=True)
class StatusSample:
    """How it was at a time; None, and no projections: the server could not be asked."""

    at: datetime
    log_position: int | None
    relay_position: int | None
    cache_hit_ratio: float | None
    projections: Mapping[str, ProjectionSample]


class StatusHistory:
    """One sample every `interval_seconds`."""

    def __init__(self, tell: TellStatus, *, interval_seconds: float) -> None:
        self.interval_seconds = interval_seconds
        self._tell = tell
        samples_max = max(1, round(HISTORY_SECONDS / interval_seconds))
        self._samples: deque[StatusSample] = deque(maxlen=samples_max)

    def samples(self) -> Sequence[StatusSample]:
        """The oldest first."""
        return tuple(self._samples)

    async def take(self) -> None:
        """Add a sample of now."""
        try:
            self._samples.append(_sample(await self._tell.now()))
        except Unavailable:
            self._samples.append(StatusSample(datetime.now(UTC), None, None, None, {}))

    def measurement(self) -> Measurement:
        """The loop of the process calls `take`; there is no gauge to forget."""
        return Measurement(
            "status history", self.take, self.interval_seconds, _SAMPLE_SECONDS_MAX, lambda: None
        )


def _sample(status: StatusNow) -> StatusSample:
    log = status.log
    return StatusSample(
        status.measured_at,
        None if log is None else log.position,
        None if log is None else log.relay_position,
        status.cache.hit_ratio,
        {
            one.state.projection: ProjectionSample(one.state.log_position, one.lag_events, one.lag_seconds)
            for one in status.projections
        },
    )
