"""How the search index is: for readiness, for the status, and as metrics.

A new process is not ready before its index has caught up once; else searches would fail wherever a release is
rolled out. But reads by id must not depend on Kafka: after `start_seconds_max` without it, and at once if the
topic does not exist yet, the process is ready without an index, and says that it is degraded.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, Protocol

from query_api.errors import SearchUnavailable
from query_api.search.feed import IndexFeed
from query_api.search.feed_ports import StatesUnavailable
from query_api.search.index_run import IndexRun
from shared.ops.measuring import Measurement, unknown
from shared.ops.metrics.search import SEARCH_INDEX_BEHIND_SECONDS, SEARCH_INDEX_LAG_STATES

Engine = Literal["embedded", "opensearch"]
IndexCondition = Literal["following", "behind", "missing"]
"""missing: searches are refused. behind: they are answered, but Kafka or the index is in trouble."""
_MEASURE_SECONDS, _MEASURE_SECONDS_MAX = 1.0, 1.0


class IndexState(NamedTuple):
    """`positions`: by partition, up to which log position all is shown. `lag_states` None: Kafka cannot be
    asked. `behind_seconds`: how long ago the index had everything; None: there is none. `reason`: why it is
    not following. Of an index in OpenSearch, the projection that writes it tells what is None here.
    """

    engine: Engine
    condition: IndexCondition
    positions: Mapping[int, int]
    lag_states: int | None
    behind_seconds: float | None
    is_rebuilding: bool | None
    reason: str | None


class SearchReport(Protocol):
    """How searches are, of either engine."""

    async def now(self) -> IndexState: ...

    async def check(self) -> None:
        """Raises `SearchUnavailable` while searches are refused, or answered from an index that is behind."""
        ...


class IndexReport:
    """Implements `SearchReport` for one feed. `clock` gives Unix seconds, as that of the feed."""

    def __init__(
        self, feed: IndexFeed[Any], *, start_seconds_max: float, clock: Callable[[], float] = time.time
    ) -> None:
        """`start_seconds_max`: after so long without Kafka a new process is ready without an index."""
        self._feed = feed
        self._start_seconds_max = start_seconds_max
        self._clock = clock

    def state(self) -> IndexState:
        """As of now; asks nobody."""
        live, building = self._feed.live_run, self._feed.building_run
        reason = _reason(live or building)
        if live is None:
            why = reason or "the index is being built"
            return IndexState("embedded", "missing", {}, None, None, True, why)
        return IndexState(
            "embedded",
            "behind" if reason else "following",
            dict(live.positions),
            live.lag_states(),
            max(0.0, self._clock() - live.complete_at) if live.complete_at is not None else None,
            building is not None,
            reason,
        )

    async def now(self) -> IndexState:
        return self.state()

    async def check_start(self) -> None:
        """For readiness, which needs it once. Raises `SearchUnavailable`."""
        live, building = self._feed.live_run, self._feed.building_run
        if live is not None and live.caught_up.is_set():
            return
        if any(run is not None and self._may_go_without(run) for run in (live, building)):
            return
        raise SearchUnavailable("the search index has not caught up yet")

    async def check(self) -> None:
        state = self.state()
        if state.reason is not None:
            raise SearchUnavailable(state.reason)

    def measurement(self) -> Measurement:
        """Sets the gauges of the live index."""
        gauges = (SEARCH_INDEX_LAG_STATES, SEARCH_INDEX_BEHIND_SECONDS)

        async def take() -> None:
            state = self.state()
            for gauge, value in zip(gauges, (state.lag_states, state.behind_seconds), strict=True):
                if value is None:
                    unknown((gauge,))
                else:
                    gauge.set(value)

        return Measurement(
            "search index", take, _MEASURE_SECONDS, _MEASURE_SECONDS_MAX, lambda: unknown(gauges)
        )

    def _may_go_without(self, run: IndexRun[Any]) -> bool:
        in_trouble_for = self._clock() - run.trouble_since
        return run.lacks_topic or (run.trouble is not None and in_trouble_for > self._start_seconds_max)


def _reason(run: IndexRun[Any] | None) -> str | None:
    if run is None:
        return None
    try:
        run.check()
    except StatesUnavailable as error:
        return str(error)
    return None
