"""The status of each projection. An unknown state must not look healthy.

The consumers report their lags once a second. If the reports stop, the last one was probably good, so an old
report does not count.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from query_api.status.ports import ProjectionState, ProjectionStates

Condition = Literal["running", "waiting", "stopped", "paused", "unknown"]
"""waiting: until an outage ends; it tries again by itself. stopped: an operator must repair the cause, on at
least one partition. paused: by an operator. unknown: some of its partitions have not reported lately."""


class ProjectionStatus(NamedTuple):
    """`lag_events` and `lag_seconds` are None if some partition has not reported lately."""

    condition: Condition
    lag_events: int | None
    lag_seconds: float | None
    state: ProjectionState


class TellStatus:
    """The use case. `partition_count` is that of the topic of all events."""

    def __init__(self, states: ProjectionStates, *, partition_count: int) -> None:
        self._states = states
        self._partition_count = partition_count

    async def projections(self) -> Sequence[ProjectionStatus]:
        """By name. Raises `Unavailable`."""
        return [status_of(state, self._partition_count) for state in await self._states.states()]


def status_of(state: ProjectionState, partition_count: int) -> ProjectionStatus:
    """A partition without a report may be far behind, so there is no sum without it."""
    is_known = state.partitions_measured >= partition_count
    lag_events, lag_seconds = (state.lag_events, state.lag_seconds) if is_known else (None, None)
    return ProjectionStatus(_condition(state, is_known=is_known), lag_events, lag_seconds, state)


def _condition(state: ProjectionState, *, is_known: bool) -> Condition:
    if state.is_paused:
        return "paused"
    if state.partitions_stopped:
        return "stopped"
    if not is_known:
        return "unknown"
    return "waiting" if state.partitions_in_trouble else "running"
