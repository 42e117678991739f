"""Readiness asks each dependency until it was good once, and then only tells; liveness never asks."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from structlog.testing import capture_logs

from shared.ops.health import Health, OnlyAnOperatorHelps
from tests.counters import counted
from tests.eventually import eventually


class Clock:
    """Monotonic seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Server:
    """A dependency; `error` is why it fails now."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    async def check(self) -> None:
        if self.error is not None:
            raise self.error


AWAY = ConnectionRefusedError("nobody there")
AWAY_TOLD = "ConnectionRefusedError: nobody there"


async def works() -> None:
    return None


async def hangs() -> None:
    await asyncio.Event().wait()


async def test_a_process_without_checks_is_ready_and_alive() -> None:
    health = Health("relay")
    assert health.readiness() == (True, {}, [])
    assert health.liveness() == (True, {})


async def test_a_process_is_not_ready_before_the_first_look() -> None:
    health = Health("query-api")
    health.require("read model", works)
    assert health.readiness() == (False, {"read model": "not asked yet"}, [])
    await health.look()
    assert health.readiness() == (True, {"read model": "ok"}, [])


async def test_a_check_that_never_passed_makes_the_process_not_ready_and_says_why() -> None:
    health = Health("query-api")
    health.require("read model", works)
    health.require("event store", Server(AWAY).check)
    await health.look()
    assert health.readiness() == (False, {"read model": "ok", "event store": AWAY_TOLD}, [])


async def test_a_dependency_lost_later_degrades_the_process_and_does_not_make_it_unready() -> None:
    health, server = Health("query-api"), Server()
    health.require("read model", server.check)
    await health.look()
    server.error = AWAY
    await health.look()
    assert health.readiness() == (True, {"read model": AWAY_TOLD}, ["read model"])
    server.error = None
    await health.look()
    assert health.readiness() == (True, {"read model": "ok"}, [])


async def test_checks_need_not_pass_at_the_same_time() -> None:
    health, first, second = Health("projector"), Server(), Server(AWAY)
    health.require("first", first.check)
    health.require("second", second.check)
    await health.look()
    first.error, second.error = AWAY, None
    await health.look()
    assert health.readiness() == (True, {"first": AWAY_TOLD, "second": "ok"}, ["first"])


async def test_what_is_only_told_never_decides() -> None:
    health = Health("query-api")
    health.tell("Redis", Server(AWAY).check)
    await health.look()
    assert health.readiness() == (True, {"Redis": AWAY_TOLD}, ["Redis"])


async def test_a_stop_for_an_operator_makes_a_ready_process_unready_until_it_ends() -> None:
    health, part = Health("projector"), Server()
    health.require("product_view", part.check)
    await health.look()
    part.error = OnlyAnOperatorHelps("stopped: another log")
    await health.look()
    assert health.readiness() == (False, {"product_view": "stopped: another log"}, [])
    part.error = AWAY
    await health.look()
    assert health.readiness() == (True, {"product_view": AWAY_TOLD}, ["product_view"])


async def test_a_check_that_hangs_is_bounded_and_readiness_does_not_wait_for_it() -> None:
    health = Health("query-api")
    health.require("read model", hangs, seconds_max=0.01)
    await health.look()
    assert health.readiness() == (False, {"read model": "no answer within 0.01 s"}, [])


async def test_checks_run_at_the_same_time() -> None:
    health, both_run = Health("query-api"), asyncio.Barrier(2)

    async def meets_the_other() -> None:
        await both_run.wait()

    health.require("one", meets_the_other)
    health.require("two", meets_the_other)
    await health.look()
    assert health.readiness() == (True, {"one": "ok", "two": "ok"}, [])


async def test_the_watch_sees_a_server_come_and_the_waiting_start_goes_on() -> None:
    health, server, stop, turns = Health("relay"), Server(AWAY), asyncio.Event(), list[int]()
    health.require("event store", server.check)
    watching = asyncio.create_task(health.watch(stop))
    waiting = asyncio.create_task(
        health.passed("event store", stop=stop, meanwhile=lambda: turns.append(len(turns)))
    )
    await eventually(lambda: _assert(health.readiness().checks["event store"] == AWAY_TOLD and turns))
    assert not waiting.done()
    server.error = None
    assert await waiting is True
    assert health.readiness().is_ready
    stop.set()
    await watching


async def test_a_stop_ends_the_wait_and_a_look_that_hangs() -> None:
    health, stop = Health("relay"), asyncio.Event()
    health.require("event store", hangs, seconds_max=3600)
    watching = asyncio.create_task(health.watch(stop))
    waiting = asyncio.create_task(health.passed("event store", stop=stop))
    stop.set()
    assert await waiting is False
    await watching


async def test_an_outage_is_logged_when_it_begins_and_when_it_ends() -> None:
    health, server = Health("relay"), Server(AWAY)
    health.require("event store", server.check)
    with capture_logs() as lines:
        for error in (AWAY, TimeoutError(), None, None, AWAY, AWAY, None):
            server.error = error
            await health.look()
    assert [(line["log_level"], line["event"]) for line in lines] == [
        ("warning", "not ready: a check fails"),
        ("info", "check passes again"),
        ("warning", "degraded: a check fails"),
        ("info", "check passes again"),
    ]
    assert lines[0]["check"] == "event store"
    assert lines[0]["reason"] == AWAY_TOLD


async def test_another_reason_is_logged_but_not_at_every_look() -> None:
    clock = Clock()
    health, server = Health("command-api", clock=clock), Server(AWAY)
    health.require("event store", server.check)
    wrong = PermissionError("password authentication failed")
    with capture_logs() as lines:
        for seconds, error in (
            (0, AWAY),
            (1, TimeoutError()),
            (1, AWAY),
            (1, wrong),
            (5, wrong),
            (20, wrong),
        ):
            clock.now += seconds
            server.error = error
            await health.look()
    assert [(line["event"], line["reason"]) for line in lines] == [
        ("not ready: a check fails", AWAY_TOLD),
        ("not ready: a check fails", "PermissionError: password authentication failed"),
    ]


async def test_all_that_fails_is_logged_each_minute_while_it_lasts() -> None:
    clock = Clock()
    health, store, cache = Health("query-api", clock=clock), Server(AWAY), Server()
    health.require("read model", store.check)
    health.tell("Redis", cache.check)
    with capture_logs() as lines:
        for seconds, away, cache_away in (
            (59, AWAY, None),
            (2, AWAY, AWAY),
            (59, AWAY, AWAY),
            (1, None, AWAY),
        ):
            clock.now += seconds
            store.error, cache.error = away, cache_away
            await health.look()
        cache.error = None
        clock.now += 120
        await health.look()
    assert [
        (line["is_ready"], line["reasons"]) for line in lines if line["event"] == "checks still fail"
    ] == [
        (False, {"read model": AWAY_TOLD, "Redis": AWAY_TOLD}),
        (True, {"Redis": AWAY_TOLD}),
    ]


async def test_metrics_tell_each_check_and_the_sum_of_them() -> None:
    health, server = Health("relay"), Server()
    health.require("event store", server.check)
    for error, is_ok in ((None, 1), (AWAY, 0)):
        server.error = error
        await health.look()
        assert counted("readiness_check_ok", check="event store") == is_ok
        assert counted("process_ready") == 1
    health.drain()
    assert counted("process_ready") == 0


async def test_a_draining_process_is_alive_but_not_ready() -> None:
    health = Health("command-api")
    health.drain()
    assert health.readiness() == (False, {"draining": "shutting down"}, [])
    assert health.liveness()[0]


async def test_a_failing_dependency_never_touches_liveness() -> None:
    health = Health("command-api")
    health.require("event store", Server(AWAY).check)
    await health.look()
    assert health.liveness() == (True, {})


def test_a_loop_that_stops_beating_is_not_alive_and_recovers_with_the_next_beat() -> None:
    clock = Clock()
    health = Health("projector", clock=clock)
    heartbeat = health.expect_progress("poll", seconds_max=30)
    clock.now += 30
    assert health.liveness() == (True, {"poll": "ok"})
    clock.now += 1
    assert health.liveness() == (False, {"poll": "no progress for 31 s (at most 30 s)"})
    heartbeat.beat()
    assert health.liveness() == (True, {"poll": "ok"})


@pytest.mark.parametrize("register", [Health.require, Health.tell])
def test_a_name_is_registered_once(
    register: Callable[[Health, str, Callable[[], Awaitable[None]]], None],
) -> None:
    health = Health("projector")
    health.require("store", works)
    health.expect_progress("poll", 1)
    with pytest.raises(ValueError, match="twice"):
        register(health, "store", works)
    with pytest.raises(ValueError, match="twice"):
        health.expect_progress("poll", 1)


def _assert(condition: object) -> None:
    assert condition
