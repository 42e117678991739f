"""Readiness asks dependencies, liveness never does."""

import asyncio

import pytest

from shared.ops.health import Health


class Clock:
    """Monotonic seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def works() -> None:
    return None


async def fails() -> None:
    raise ConnectionRefusedError("nobody there")


async def hangs() -> None:
    await asyncio.Event().wait()


async def test_a_process_without_requirements_is_ready_and_alive() -> None:
    health = Health("relay")
    assert await health.readiness() == (True, {})
    assert health.liveness() == (True, {})


async def test_a_failing_check_makes_the_process_not_ready_and_says_why() -> None:
    health = Health("query-api")
    health.require("read-model", works)
    health.require("event-store", fails)
    assert await health.readiness() == (
        False,
        {"read-model": "ok", "event-store": "ConnectionRefusedError: nobody there"},
    )


async def test_a_check_that_hangs_is_bounded_by_its_own_time_out() -> None:
    health = Health("query-api")
    health.require("read-model", hangs, timeout_seconds=0.01)
    assert await health.readiness() == (False, {"read-model": "no answer within 0.01 s"})


async def test_checks_run_at_the_same_time() -> None:
    health, both_run = Health("query-api"), asyncio.Barrier(2)

    async def meets_the_other() -> None:
        await both_run.wait()

    health.require("one", meets_the_other)
    health.require("two", meets_the_other)
    assert await health.readiness() == (True, {"one": "ok", "two": "ok"})


async def test_a_draining_process_is_alive_but_not_ready() -> None:
    health = Health("command-api")
    health.drain()
    assert await health.readiness() == (False, {"draining": "shutting down"})
    assert health.liveness()[0]


async def test_a_failing_dependency_never_touches_liveness() -> None:
    health = Health("command-api")
    health.require("event-store", fails)
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


def test_a_name_is_registered_once() -> None:
    health = Health("projector")
    health.require("store", works)
    health.expect_progress("poll", 1)
    with pytest.raises(ValueError, match="twice"):
        health.require("store", works)
    with pytest.raises(ValueError, match="twice"):
        health.expect_progress("poll", 1)
