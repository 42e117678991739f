"""What a projection waits for is told while it waits, between two attempts too, and no longer."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from aiokafka import TopicPartition

from projector.control.ports import Control, PartitionLag
from projector.errors import Fenced, LogDiffers, ParkingIsFull, Unavailable
from projector.kafka.consumer_state import ConsumerState
from projector.kafka.named_member import NamedMember
from projector.kafka.placement import Stop
from projector.waiting import TOLD_AFTER_SECONDS, Waiting, asking, attempt_failed

BEGAN = 1_700_000_000.0
SINCE = "since 2023-11-14 22:13:20 UTC"


class World:
    """One consumer's state, with a clock that the test moves."""

    def __init__(self) -> None:
        self.now = BEGAN
        self.abandon = asyncio.Event()
        self.waiting = Waiting(clock=lambda: self.now)

    def later(self, seconds: float = TOLD_AFTER_SECONDS) -> None:
        self.now += seconds

    @contextmanager
    def batch_that_fails(self, error: Exception) -> Iterator[None]:
        try:
            with self.waiting.attempts(self.abandon):
                yield
                raise error
        except type(error):
            return


def test_a_server_that_has_not_answered_for_some_seconds_is_told_before_its_time_out() -> None:
    world = World()
    with world.waiting.attempts(world.abandon), asking("read model"):
        assert world.waiting.reason() is None
        world.later()
        assert world.waiting.reason() == f"read model: no answer yet ({SINCE})"
    assert world.waiting.reason() is None


def test_the_server_that_was_asked_last_is_the_one_that_does_not_answer() -> None:
    world = World()
    with world.waiting.attempts(world.abandon), asking("read model"):
        with asking("event store"):
            world.later()
            assert world.waiting.reason() == f"event store: no answer yet ({SINCE})"
        assert world.waiting.reason() == f"read model: no answer yet ({SINCE})"


def test_questions_outside_of_a_batch_are_not_noted() -> None:
    with asking("read model"):
        attempt_failed(Unavailable("read model: away"))


async def test_questions_of_tasks_of_the_batch_are_noted() -> None:
    world = World()

    async def ask() -> str | None:
        with asking("mail server"):
            world.later()
            return world.waiting.reason()

    with world.waiting.attempts(world.abandon):
        (told,) = await asyncio.gather(ask())
    assert told == f"mail server: no answer yet ({SINCE})"


def test_a_failed_attempt_is_told_until_the_batch_succeeds_with_the_first_time_and_the_last_text() -> None:
    world = World()
    with world.batch_that_fails(Unavailable("Redis: third")):
        attempt_failed(Unavailable("Redis: first"))
        assert world.waiting.reason() is None
        world.later()
        assert world.waiting.reason() == f"Redis: first ({SINCE})"
        attempt_failed(Unavailable("Redis: second"))
    assert world.waiting.reason() == f"Redis: third ({SINCE})"
    world.later()
    with world.waiting.attempts(world.abandon):
        assert world.waiting.reason() == f"Redis: third ({SINCE})"
    assert world.waiting.reason() is None


def test_an_attempt_that_fails_and_succeeds_soon_is_not_told() -> None:
    world = World()
    with world.waiting.attempts(world.abandon):
        attempt_failed(Unavailable("read model: a deadlock"))
        world.later(TOLD_AFTER_SECONDS - 1)
        assert world.waiting.reason() is None
    world.later()
    assert world.waiting.reason() is None


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Unavailable("Redis: away"), "Redis: away"),
        (ParkingIsFull("too many products fail"), "too many products fail"),
        (KeyError("a bug"), "KeyError: 'a bug'"),
        (Fenced("moved by another process"), None),
        (LogDiffers("another log"), None),
    ],
)
def test_only_an_error_after_which_the_batch_is_tried_again_is_remembered(
    error: Exception, told: str | None
) -> None:
    world = World()
    with world.batch_that_fails(error):
        world.later()
    assert world.waiting.reason() == (told and f"{told} ({SINCE})")


def test_a_batch_whose_partitions_another_process_has_is_forgotten() -> None:
    world = World()
    with world.batch_that_fails(Unavailable("Redis: away")):
        attempt_failed(Unavailable("Redis: away"))
        world.abandon.set()
    world.later()
    assert world.waiting.reason() is None


def _state_that_waits() -> ConsumerState:
    state, world = ConsumerState(NamedMember("product_view", "")), World()
    state.waiting = world.waiting
    state.measured = [PartitionLag(at, 0, 0, 7, 1.0, None) for at in (0, 1)]
    state.placement.assign([TopicPartition("t", at) for at in (0, 1)])
    state.placement.place({0: UUID(int=7), 1: UUID(int=7)})
    with world.batch_that_fails(Unavailable("Redis: away")):
        world.later()
    return state


def test_a_projection_whose_partitions_another_process_gets_between_two_attempts_no_longer_waits() -> None:
    state = _state_that_waits()
    state.revoke()
    state.placement.assign([])
    assert state.trouble() is None


def test_a_projection_that_is_placed_and_tries_again_is_not_ready_and_waits_in_all_partitions() -> None:
    state, told = _state_that_waits(), f"Redis: away ({SINCE})"
    assert state.trouble() == told
    assert [lag.trouble for lag in state.lags()] == [told, told]


def test_a_stop_and_a_pause_are_told_before_a_wait() -> None:
    state, told = _state_that_waits(), f"Redis: away ({SINCE})"
    state.placement.stop(1, Stop(3, "the log lacks a version", 15.0))
    assert state.trouble() == "partition 1 stopped: the log lacks a version"
    assert [lag.trouble for lag in state.lags()] == [told, "stopped: the log lacks a version"]
    state.control = Control(is_paused=True, revision=1, reason="a look")
    assert state.trouble() is None
    assert {lag.trouble for lag in state.lags()} == {"paused: a look"}
