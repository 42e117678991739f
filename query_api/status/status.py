"""The status of the system. An unknown state must not look healthy.

The consumers report their lags once a second. If the reports stop, the last one was probably good, so an old
report does not count. All who ask within a second get the same status: a page that many watch costs no more
than one that one watches.
"""

import time
from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from query_api.errors import EventLogUnavailable
from query_api.status.pace import Pace
from query_api.status.ports import (
    CacheReads,
    LogState,
    LogStates,
    ProjectionState,
    ProjectionStates,
    RebuildState,
)
from shared.ops.concurrency.single_flight import SingleFlight
from shared.ops.concurrency.waits import beside

Condition = Literal["running", "waiting", "stopped", "paused", "unknown"]
"""waiting: until an outage ends; it tries again by itself. stopped: an operator must repair the cause, on at
least one partition. paused: by an operator. unknown: some of its partitions have not reported lately."""
RelayCondition = Literal["running", "waiting", "stopped", "unknown"]
"""waiting: there is a relay, but events wait. stopped: no relay runs. unknown: the log cannot be asked, or a
replica answers, which does not know the relay's lock."""

# A relay publishes within milliseconds; after so long without progress it does not go on.
_STILL_SECONDS_MAX = 5.0
# A rebuild without progress for so long may have ended: its time left is not known.
_SILENT_SECONDS_MAX = 60.0
_PACE_SECONDS, _CACHE_SECONDS = 10.0, 60.0
_LOADING = "loading"
# Among sums by projection and by log.
_CACHE = "reads of the cache"


class ProjectionStatus(NamedTuple):
    """`lag_events` and `lag_seconds` are None if some partition has not reported lately."""

    condition: Condition
    lag_events: int | None
    lag_seconds: float | None
    state: ProjectionState
    events_per_second: float | None = None


class RebuildStatus(NamedTuple):
    """`seconds_left` None: not known, or nothing is left to count."""

    done_events: int
    total_events: int
    seconds_left: float | None
    state: RebuildState


class CacheUse(NamedTuple):
    """Of this process, in the last minute and the last seconds; `hit_ratio` None: without a read."""

    hit_ratio: float | None
    reads_per_second: float | None


class StatusNow(NamedTuple):
    """`log` None: the event store cannot be asked."""

    measured_at: datetime
    log: LogState | None
    log_events_per_second: float | None
    relay: RelayCondition
    projections: Sequence[ProjectionStatus]
    rebuilds: Sequence[RebuildStatus]
    cache: CacheUse


class TellStatus:
    """The use case. `partition_count` is that of the topic of all events; a status is told for
    `age_seconds_max`.
    """

    def __init__(
        self,
        states: ProjectionStates,
        log: LogStates,
        cache_reads: Callable[[], CacheReads],
        *,
        partition_count: int,
        age_seconds_max: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._states = states
        self._log = log
        self._cache_reads = cache_reads
        self._partition_count = partition_count
        self._age_seconds_max = age_seconds_max
        self._clock = clock
        self._flights: SingleFlight[str, StatusNow] = SingleFlight()
        self._told: tuple[float, StatusNow] | None = None
        self._pace = Pace(_PACE_SECONDS)
        self._cache_pace = Pace(_CACHE_SECONDS)

    async def now(self) -> StatusNow:
        """At most `age_seconds_max` old. Raises `Unavailable` if the read model cannot be asked."""
        if self._told is not None and self._clock() - self._told[0] < self._age_seconds_max:
            return self._told[1]
        return await self._flights.run("status", self._measure)

    async def _measure(self) -> StatusNow:
        began = self._clock()
        async with beside(self._log_state()) as log_state:
            states = await self._states.states()
            rebuilds = await self._states.rebuilds()
            log = await log_state
        self._look(states, log)
        status = StatusNow(
            datetime.now(UTC),
            log,
            None if log is None else self._pace.per_second(log.log_id),
            relay_condition(log),
            [self._status_of(state) for state in states],
            [rebuild_status(one) for one in rebuilds],
            self._cache_use(),
        )
        self._told = began, status
        return status

    async def _log_state(self) -> LogState | None:
        try:
            return await self._log.state()
        except EventLogUnavailable:
            return None

    def _look(self, states: Sequence[ProjectionState], log: LogState | None) -> None:
        at = self._clock()
        sums: dict[Hashable, int] = {
            one.projection: one.records_passed for one in states if one.records_passed is not None
        }
        if log is not None:
            sums[log.log_id] = log.position
        cache = self._cache_reads()
        self._pace.look(at, {**sums, _CACHE: cache.reads})
        self._cache_pace.look(at, {"reads": cache.reads, "hits": cache.hits})

    def _status_of(self, state: ProjectionState) -> ProjectionStatus:
        status = status_of(state, self._partition_count)
        return status._replace(events_per_second=self._pace.per_second(state.projection))

    def _cache_use(self) -> CacheUse:
        reads, hits = self._cache_pace.grown("reads"), self._cache_pace.grown("hits")
        ratio = round(hits / reads, 4) if reads and hits is not None else None
        return CacheUse(ratio, self._pace.per_second(_CACHE))


def status_of(state: ProjectionState, partition_count: int) -> ProjectionStatus:
    """A partition without a report may be far behind, so there is no sum without it."""
    is_known = state.partitions_measured >= partition_count
    lag_events, lag_seconds = (state.lag_events, state.lag_seconds) if is_known else (None, None)
    return ProjectionStatus(_condition(state, is_known=is_known), lag_events, lag_seconds, state)


def relay_condition(log: LogState | None) -> RelayCondition:
    """From the relay's lock, and from what waits for it."""
    if log is None:
        return "unknown"
    if log.relay_is_led is False:
        return "stopped"
    still_seconds = log.relay_still_seconds
    moves = still_seconds is not None and still_seconds <= _STILL_SECONDS_MAX
    if log.relay_is_led is None:
        return "running" if moves else "unknown"
    return "running" if moves or log.relay_lag_seconds <= _STILL_SECONDS_MAX else "waiting"


def rebuild_status(state: RebuildState) -> RebuildStatus:
    """The first pass counts its events; after it the target is reached."""
    total = state.target_position
    done = min(state.events_done, total) if state.phase == _LOADING else total
    seconds_left = None
    if state.phase == _LOADING and done and state.silent_seconds <= _SILENT_SECONDS_MAX:
        at_this_pace = state.elapsed_seconds * (total - done) / done
        seconds_left = round(max(0.0, at_this_pace - state.silent_seconds), 1)
    return RebuildStatus(done, total, seconds_left, state)


def _condition(state: ProjectionState, *, is_known: bool) -> Condition:
    if state.is_paused:
        return "paused"
    if state.partitions_stopped:
        return "stopped"
    if not is_known:
        return "unknown"
    return "waiting" if state.partitions_in_trouble else "running"
