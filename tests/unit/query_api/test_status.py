"""What is said of a projection, a relay and a rebuild: nothing that is not known looks well."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from query_api.errors import EventLogUnavailable, ReadModelUnavailable
from query_api.status.cache_counts import cache_reads
from query_api.status.ports import CacheReads, LogState, ProjectionState, RebuildState
from query_api.status.status import CacheUse, TellStatus, rebuild_status, relay_condition, status_of
from query_api.status.status_history import ProjectionSample, StatusHistory
from shared.ops.metrics.local_cache import LOCAL_CACHE_REQUESTS
from shared.ops.metrics.reads import CACHE_REQUESTS

PARTITIONS = 12
NOW = datetime(2026, 1, 1, tzinfo=UTC)
WELL = ProjectionState(
    projection="product_view", log_position=7, updated_at=NOW, partitions_measured=PARTITIONS, lag_events=3,
    lag_seconds=0.5, measured_at=NOW, partitions_in_trouble=0, partitions_stopped=0, is_paused=False,
    parked_products=0, parked_events=0, records_passed=100, reported_seconds_ago=0.4,
)  # fmt: skip
LOG = LogState(
    log_id=UUID(int=1), position=20, relay_position=18, relay_lag_events=2, relay_lag_seconds=0.1,
    relay_still_seconds=60.0, relay_is_led=True,
)  # fmt: skip
LOADING = RebuildState("product_view", "loading", 1000, 0, 250, NOW, NOW, 10.0, 4.0)


@pytest.mark.parametrize(
    ("changed", "condition", "lag_events"),
    [
        ({}, "running", 3),
        ({"partitions_in_trouble": 1}, "waiting", 3),
        ({"partitions_in_trouble": 12, "partitions_stopped": 1}, "stopped", 3),
        ({"partitions_measured": 11}, "unknown", None),
        ({"partitions_measured": 11, "partitions_in_trouble": 11}, "unknown", None),
        ({"partitions_measured": 1, "partitions_stopped": 1}, "stopped", None),
        ({"partitions_measured": 0, "lag_events": None, "lag_seconds": None}, "unknown", None),
        ({"is_paused": True, "partitions_in_trouble": 12}, "paused", 3),
        ({"is_paused": True, "partitions_measured": 0}, "paused", None),
        ({"parked_products": 1, "parked_events": 2}, "running", 3),
    ],
)
def test_a_condition_and_a_lag_are_told_only_as_far_as_they_are_known(
    changed: dict[str, Any], condition: str, lag_events: int | None
) -> None:
    status = status_of(WELL._replace(**changed), PARTITIONS)
    assert (status.condition, status.lag_events) == (condition, lag_events)
    assert (status.lag_seconds is None) == (lag_events is None)


@pytest.mark.parametrize(
    ("log", "condition"),
    [
        (LOG, "running"),
        (LOG._replace(relay_lag_seconds=6.0), "waiting"),
        (LOG._replace(relay_lag_seconds=6.0, relay_still_seconds=0.2), "running"),
        (LOG._replace(relay_lag_seconds=6.0, relay_still_seconds=None), "waiting"),
        (LOG._replace(relay_is_led=False), "stopped"),
        (LOG._replace(relay_is_led=False, relay_still_seconds=0.2), "stopped"),
        (LOG._replace(relay_is_led=None), "unknown"),
        (LOG._replace(relay_is_led=None, relay_still_seconds=0.2), "running"),
        (None, "unknown"),
    ],
)
def test_a_relay_runs_only_if_that_is_known(log: LogState | None, condition: str) -> None:
    assert relay_condition(log) == condition


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, (250, 1000, 26.0)),
        ({"events_done": 0}, (0, 1000, None)),
        ({"events_done": 1001}, (1000, 1000, 0.0)),
        ({"silent_seconds": 61.0}, (250, 1000, None)),
        ({"phase": "catching-up"}, (1000, 1000, None)),
        ({"phase": "switched"}, (1000, 1000, None)),
    ],
)
def test_a_rebuild_tells_its_time_left_while_its_first_pass_moves(
    changed: dict[str, Any], expected: tuple[int, int, float | None]
) -> None:
    status = rebuild_status(LOADING._replace(**changed))
    assert (status.done_events, status.total_events, status.seconds_left) == expected


class States:
    """Both stores and the counts in memory, with a clock."""

    def __init__(self) -> None:
        self.at = 0.0
        self.reads = 0
        self.state, self.log = WELL, LOG
        self.cache = CacheReads(0, 0)
        self.failure: Exception | None = None
        self.log_failure: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def states(self) -> Sequence[ProjectionState]:
        self.reads += 1
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return [self.state]

    async def rebuilds(self) -> Sequence[RebuildState]:
        return [LOADING]

    def clock(self) -> float:
        return self.at

    def counts(self) -> CacheReads:
        return self.cache


class Logs:
    """The log of `States`."""

    def __init__(self, states: States) -> None:
        self._states = states

    async def state(self) -> LogState:
        if self._states.log_failure is not None:
            raise self._states.log_failure
        return self._states.log


def tell_of(states: States) -> TellStatus:
    return TellStatus(
        states,
        Logs(states),
        states.counts,
        partition_count=PARTITIONS,
        age_seconds_max=1.0,
        clock=states.clock,
    )


async def test_all_who_ask_within_a_second_get_one_status() -> None:
    states = States()
    tell = tell_of(states)
    states.gate.clear()
    asking = [asyncio.create_task(tell.now()) for _ in range(50)]
    await asyncio.sleep(0)
    states.gate.set()
    told = await asyncio.gather(*asking)
    states.at = 0.9
    told.append(await tell.now())
    assert states.reads == 1
    assert all(one is told[0] for one in told)
    states.at = 1.0
    assert await tell.now() is not told[0]
    assert states.reads == 2


async def test_speeds_are_told_from_the_second_look_on() -> None:
    states = States()
    tell = tell_of(states)
    first = await tell.now()
    assert (first.log_events_per_second, first.projections[0].events_per_second) == (None, None)
    assert first.cache == CacheUse(None, None)
    states.at = 4.0
    states.state = WELL._replace(records_passed=140)
    states.log = LOG._replace(position=60)
    states.cache = CacheReads(hits=30, reads=40)
    second = await tell.now()
    assert (second.log_events_per_second, second.projections[0].events_per_second) == (10.0, 10.0)
    assert second.cache == CacheUse(0.75, 10.0)


def test_memory_and_redis_count_as_one_cache() -> None:
    before = cache_reads()
    for result, reads in (("hit", 3), ("miss", 1), ("bypass", 1)):
        CACHE_REQUESTS.labels(result).inc(reads)
    for result, reads in (("hit", 2), ("miss", 5)):
        LOCAL_CACHE_REQUESTS.labels(result).inc(reads)
    after = cache_reads()
    assert (after.hits - before.hits, after.reads - before.reads) == (5, 7)


async def test_a_sum_that_falls_or_belongs_to_another_log_tells_no_speed() -> None:
    states = States()
    tell = tell_of(states)
    await tell.now()
    states.at = 4.0
    states.state = WELL._replace(records_passed=1)
    states.log = LOG._replace(log_id=UUID(int=2), position=60)
    status = await tell.now()
    assert (status.log_events_per_second, status.projections[0].events_per_second) == (None, None)


async def test_speeds_forget_what_was_before_the_window() -> None:
    states = States()
    tell = tell_of(states)
    for seconds in range(0, 60, 5):
        states.at = float(seconds)
        states.state = WELL._replace(records_passed=1000 if seconds else 0)
        states.cache = CacheReads(hits=seconds, reads=2 * seconds)
        status = await tell.now()
    assert status.projections[0].events_per_second == 0.0
    assert status.cache == CacheUse(0.5, 2.0)


async def test_without_the_event_store_the_rest_is_told() -> None:
    states = States()
    states.log_failure = EventLogUnavailable("away")
    status = await tell_of(states).now()
    assert (status.log, status.relay, status.log_events_per_second) == (None, "unknown", None)
    assert status.projections[0].condition == "running"


async def test_without_the_read_model_there_is_no_status_and_the_next_one_is_asked_for_anew() -> None:
    states = States()
    tell = tell_of(states)
    states.failure = ReadModelUnavailable("away")
    with pytest.raises(ReadModelUnavailable):
        await tell.now()
    states.failure = None
    assert (await tell.now()).log == LOG


async def test_samples_are_bounded_and_the_oldest_comes_first() -> None:
    states = States()
    history = StatusHistory(tell_of(states), interval_seconds=300.0)
    for position in range(5):
        states.at += 300.0
        states.log = LOG._replace(position=position)
        await history.take()
    samples = history.samples()
    assert [one.log_position for one in samples] == [2, 3, 4]
    assert samples[0].relay_position == 18
    assert samples[0].projections == {"product_view": ProjectionSample(7, 3, 0.5)}


async def test_a_sample_while_the_read_model_is_away_says_so() -> None:
    states = States()
    history = StatusHistory(tell_of(states), interval_seconds=300.0)
    states.failure = ReadModelUnavailable("away")
    await history.take()
    (sample,) = history.samples()
    assert (sample.log_position, sample.relay_position, sample.projections) == (None, None, {})
