"""Waiting readers share one poller and leave when their positions are passed, or when it is too late."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from query_api.applied import Applied
from query_api.consistency.visibility import (
    POLL_SECONDS_MAX,
    POLL_SECONDS_MIN,
    Consistency,
    Visibility,
    poll_seconds,
)
from query_api.errors import Overloaded, ReadModelBehind, ReadModelUnavailable
from query_api.status.ports import ProjectionState
from shared.contract.consistency_token import ConsistencyToken
from tests.eventually import eventually


class InMemoryCheckpoints:
    """Positions that the test moves; counts how often it is asked."""

    def __init__(self, positions: dict[int, int]) -> None:
        self.now = positions
        self.asked = 0
        self.error: Exception | None = None

    async def positions(self) -> Mapping[int, int]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return dict(self.now)

    def applied(self, positions: Mapping[int, int]) -> Applied:
        return Applied("product_view", "products-events", positions)

    async def states(self) -> Sequence[ProjectionState]:
        return []


def _wish(positions: dict[int, int], wait_seconds: float = 30) -> Consistency:
    return Consistency(ConsistencyToken(positions), wait_seconds)


async def test_what_is_passed_already_is_visible_at_the_first_answer() -> None:
    checkpoints = InMemoryCheckpoints({0: 5, 1: 7})
    await Visibility(checkpoints, waiters_max=1).wait(_wish({0: 5, 1: 6}))
    assert checkpoints.asked == 1


async def test_every_read_asks_anew_because_a_read_model_may_be_restored() -> None:
    checkpoints = InMemoryCheckpoints({0: 5})
    visibility = Visibility(checkpoints, waiters_max=1)
    await visibility.wait(_wish({0: 5}))
    checkpoints.now = {0: 1}
    with pytest.raises(ReadModelBehind):
        await visibility.wait(_wish({0: 5}, wait_seconds=0))


async def test_a_partition_without_a_checkpoint_has_passed_nothing() -> None:
    with pytest.raises(ReadModelBehind):
        await Visibility(InMemoryCheckpoints({0: 5}), waiters_max=1).wait(_wish({1: 0}, wait_seconds=0))


async def test_many_readers_share_one_poller() -> None:
    checkpoints = InMemoryCheckpoints({0: 0})
    visibility = Visibility(checkpoints, waiters_max=100)
    readers = [asyncio.create_task(visibility.wait(_wish({0: number}))) for number in range(1, 101)]
    await eventually(lambda: _assert_asked(checkpoints, 3))
    asked, checkpoints.now = checkpoints.asked, {0: 50}
    await asyncio.gather(*readers[:50])
    assert checkpoints.asked - asked < 10
    assert not any(reader.done() for reader in readers[50:])
    checkpoints.now = {0: 100}
    await asyncio.gather(*readers)
    assert visibility.waiting == 0


def _assert_asked(checkpoints: InMemoryCheckpoints, times: int) -> None:
    assert checkpoints.asked >= times


async def test_more_readers_than_the_bound_are_refused() -> None:
    visibility = Visibility(InMemoryCheckpoints({}), waiters_max=1)
    waiting = asyncio.create_task(visibility.wait(_wish({0: 1})))
    await eventually(lambda: _assert_waiting(visibility))
    with pytest.raises(Overloaded):
        await visibility.wait(_wish({0: 1}))
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert visibility.waiting == 0


def _assert_waiting(visibility: Visibility) -> None:
    assert visibility.waiting == 1


async def test_when_the_checkpoints_cannot_be_read_every_reader_hears_why_and_later_ones_are_served() -> None:
    checkpoints = InMemoryCheckpoints({0: 5})
    checkpoints.error = ReadModelUnavailable("gone")
    visibility = Visibility(checkpoints, waiters_max=10)
    outcomes = await asyncio.gather(
        *(visibility.wait(_wish({0: 5})) for _ in range(3)), return_exceptions=True
    )
    assert {type(outcome) for outcome in outcomes} == {ReadModelUnavailable}
    checkpoints.error = None
    await visibility.wait(_wish({0: 5}))


async def test_without_readers_nobody_polls() -> None:
    checkpoints = InMemoryCheckpoints({0: 5})
    visibility = Visibility(checkpoints, waiters_max=1)
    await visibility.wait(_wish({0: 5}))
    await visibility.close()
    asked = checkpoints.asked
    await asyncio.sleep(0)
    assert checkpoints.asked == asked


def test_polls_become_rarer_up_to_a_limit_however_long_nothing_moves() -> None:
    """The relay may stand still for hours while readers come and wait."""
    waits = [poll_seconds(unmoved) for unmoved in range(5000)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (POLL_SECONDS_MIN, POLL_SECONDS_MAX)
    assert poll_seconds(1_000_000) == POLL_SECONDS_MAX
