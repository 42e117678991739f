"""What is refused in overload, and that nothing is refused without: with values, on a clock of the tests."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import closing
from contextvars import Context
from typing import Any

import pytest

from shared.ops.overload.bounded_turns import BoundedTurns
from shared.ops.overload.controlled_delay import StandingDelay
from shared.ops.overload.lanes import Lane
from shared.ops.overload.loop_delay import LoopDelay
from shared.ops.overload.place import Place, keep_place, resting
from shared.ops.overload.work_queue import (
    NOBODY,
    WAITED_TOO_LONG,
    WOULD_WAIT_TOO_LONG,
    QueueLimits,
    TurnedAway,
    WorkQueue,
)

ONE = [Lane("one")]


class Clock:
    """Seconds that pass when a test says so. The limits are long: the queue's own timers do not end."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Desk:
    """A work queue and the requests that wait in it."""

    def __init__(
        self, places_max: int = 1, seconds_max: float = 50, standing: float = 10, lanes: Sequence[Lane] = ONE
    ) -> None:
        self.clock = Clock()
        self.queue = WorkQueue(QueueLimits(places_max, seconds_max, standing), lanes, clock=self.clock)
        self.requests: list[asyncio.Task[None]] = []

    async def arrive(
        self, lane: str = "one", late_seconds: float = 0.0, caller: str = NOBODY
    ) -> "asyncio.Task[None]":
        """A request; it has its place, waits, or is refused when this returns."""
        request = asyncio.create_task(self.queue.enter(lane, late_seconds, caller))
        self.requests.append(request)
        await settled()
        return request

    async def leave(self, lane: str = "one", after_seconds: float = 0.0, caller: str = NOBODY) -> None:
        """A request that was worked on ends."""
        self.clock.now += after_seconds
        self.queue.leave(lane, caller)
        await settled()


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def has_place(request: "asyncio.Task[None]") -> bool:
    return request.done() and request.exception() is None


def refusal(request: "asyncio.Task[None]") -> str | None:
    """The reason why the request was turned away; None: it was not."""
    error = request.exception() if request.done() else None
    return error.reason if isinstance(error, TurnedAway) else None


@pytest.fixture
async def desks() -> AsyncIterator[list[Desk]]:
    """The requests that still wait at a test's end are cancelled."""
    made: list[Desk] = []
    yield made
    requests = [request for desk in made for request in desk.requests]
    for request in requests:
        request.cancel()
    await asyncio.gather(*requests, return_exceptions=True)


def desk_of(desks: list[Desk], *args: object, **limits: object) -> Desk:
    desk = Desk(*args, **limits)  # type: ignore[arg-type]
    desks.append(desk)
    return desk


async def test_with_free_places_nobody_waits(desks: list[Desk]) -> None:
    desk = desk_of(desks, places_max=3)
    assert all([has_place(await desk.arrive()) for _ in range(3)])
    assert desk.queue.waiting() == 0


async def test_a_place_goes_to_the_one_that_has_waited_longest(desks: list[Desk]) -> None:
    desk = desk_of(desks)
    await desk.arrive()
    first, second = await desk.arrive(), await desk.arrive()
    assert not first.done()
    await desk.leave()
    assert has_place(first)
    assert not second.done()


async def test_a_burst_waits_and_is_served(desks: list[Desk]) -> None:
    desk = desk_of(desks)
    await desk.arrive()
    burst = [await desk.arrive() for _ in range(20)]
    for _ in burst:
        await desk.leave(after_seconds=2)
    assert all(has_place(request) for request in burst)


async def test_who_has_waited_too_long_is_refused_when_a_place_is_free_and_the_next_one_gets_it(
    desks: list[Desk],
) -> None:
    desk = desk_of(desks, seconds_max=50)
    await desk.arrive()
    early = await desk.arrive()
    desk.clock.now += 45
    late = await desk.arrive()
    await desk.leave(after_seconds=6)
    assert refusal(early) == WAITED_TOO_LONG
    assert has_place(late)


async def test_in_a_queue_that_stands_the_wait_is_short(desks: list[Desk]) -> None:
    """It has not been empty for 50 s, so from then on nobody waits for more than 10 s."""
    desk = desk_of(desks, seconds_max=50, standing=10)
    await desk.arrive()
    for _ in range(6):
        await desk.arrive()
    for _ in range(3):
        await desk.leave(after_seconds=10)
    early = await desk.arrive()
    await desk.leave(after_seconds=10)
    await desk.leave(after_seconds=9)
    late = await desk.arrive()
    await desk.leave(after_seconds=2)
    assert refusal(early) == WAITED_TOO_LONG  # after 21 s
    assert has_place(late)


async def test_who_would_wait_too_long_at_the_rate_of_late_is_refused_at_once(desks: list[Desk]) -> None:
    desk = desk_of(desks, seconds_max=50)
    await desk.arrive()
    for _ in range(8):
        await desk.arrive()
    for _ in range(4):
        await desk.leave(after_seconds=9)  # four wait, and each place takes 9 s
    assert has_place(desk.requests[4])
    fifth = await desk.arrive()
    assert not fifth.done()  # behind four: 45 s
    assert refusal(await desk.arrive()) == WOULD_WAIT_TOO_LONG  # behind five: 54 s


async def test_what_was_measured_is_forgotten_when_nobody_waits(desks: list[Desk]) -> None:
    desk = desk_of(desks, seconds_max=50)
    await desk.arrive()
    for _ in range(3):
        await desk.arrive()
    for _ in range(3):
        await desk.leave(after_seconds=15)
    await desk.leave(after_seconds=10_000)
    for _ in range(3):
        await desk.arrive()
    await desk.leave(after_seconds=1)
    assert not (await desk.arrive()).done()


async def test_the_delay_of_the_loop_counts_as_waiting(desks: list[Desk]) -> None:
    desk = desk_of(desks, seconds_max=50)
    await desk.arrive()
    request = await desk.arrive(late_seconds=30)
    await desk.leave(after_seconds=25)
    assert refusal(request) == WAITED_TOO_LONG


async def test_a_stall_of_the_loop_refuses_nobody_while_there_are_places(desks: list[Desk]) -> None:
    desk = desk_of(desks, seconds_max=50)
    assert has_place(await desk.arrive(late_seconds=1000))


async def test_a_request_that_gets_no_place_in_time_is_refused_although_nobody_leaves() -> None:
    desk = Desk(seconds_max=0.01)
    await desk.arrive()
    with pytest.raises(TurnedAway) as turned_away:
        await desk.queue.enter("one")
    assert turned_away.value.reason == WAITED_TOO_LONG
    assert desk.queue.waiting() == 0


async def test_a_caller_that_leaves_while_it_waits_takes_no_place(desks: list[Desk]) -> None:
    desk = desk_of(desks)
    await desk.arrive()
    gone, next_one = await desk.arrive(), await desk.arrive()
    gone.cancel()
    await settled()
    await desk.leave()
    assert has_place(next_one)
    assert desk.queue.at_work == 1


async def test_a_caller_that_leaves_just_when_it_gets_its_place_gives_it_on(desks: list[Desk]) -> None:
    desk = desk_of(desks)
    await desk.arrive()
    gone, next_one = await desk.arrive(), await desk.arrive()
    desk.queue.leave("one")  # `gone` has the place, and does not know it yet
    gone.cancel()
    await settled()
    assert gone.cancelled()
    assert has_place(next_one)
    assert desk.queue.at_work == 1


async def test_a_flood_of_one_kind_does_not_keep_another_kind_waiting(desks: list[Desk]) -> None:
    desk = desk_of(desks, lanes=[Lane("lists"), Lane("products")])
    await desk.arrive("lists")
    for _ in range(30):
        await desk.arrive("lists")
    product = await desk.arrive("products")
    await desk.leave("lists")
    await desk.leave("lists")
    assert has_place(product)


async def test_a_lane_with_a_limit_leaves_places_to_others(desks: list[Desk]) -> None:
    desk = desk_of(desks, places_max=4, lanes=[Lane("batches", 2), Lane("commands")])
    batches = [await desk.arrive("batches") for _ in range(5)]
    assert [has_place(batch) for batch in batches] == [True, True, False, False, False]
    assert has_place(await desk.arrive("commands"))
    await desk.leave("batches")
    assert has_place(batches[2])


async def test_a_greedy_caller_with_hundreds_of_slow_requests_leaves_places_to_others(
    desks: list[Desk],
) -> None:
    desk = desk_of(desks, places_max=64)
    greedy = [await desk.arrive(caller="greedy") for _ in range(300)]
    assert sum(map(has_place, greedy)) == 48
    assert all([has_place(await desk.arrive(caller=f"modest {number}")) for number in range(16)])
    await desk.leave(caller="greedy")
    assert sum(map(has_place, greedy)) == 49


async def test_a_caller_has_no_more_places_because_it_asks_in_several_lanes(desks: list[Desk]) -> None:
    desk = desk_of(desks, places_max=8, lanes=[Lane("products"), Lane("lists", 4)])
    lists = [await desk.arrive("lists", caller="greedy") for _ in range(8)]
    products = [await desk.arrive("products", caller="greedy") for _ in range(8)]
    assert (sum(map(has_place, lists)), sum(map(has_place, products))) == (3, 3)
    assert has_place(await desk.arrive("lists", caller="modest"))
    assert has_place(await desk.arrive("products", caller="modest"))
    await desk.leave("lists", caller="greedy")  # in both lanes it waits, and one place is free
    assert (sum(map(has_place, lists)), sum(map(has_place, products))) in {(4, 3), (3, 4)}


async def test_callers_take_turns_in_the_queue(desks: list[Desk]) -> None:
    desk = desk_of(desks)
    await desk.arrive(caller="first")
    greedy = [await desk.arrive(caller="greedy") for _ in range(30)]
    modest = [await desk.arrive(caller="modest") for _ in range(2)]
    await desk.leave(caller="first")
    assert has_place(greedy[0])
    await desk.leave(caller="greedy")
    assert has_place(modest[0])
    await desk.leave(caller="modest")
    assert has_place(greedy[1])
    assert not modest[1].done()


async def test_nobody_is_refused_for_the_queue_of_another_caller(desks: list[Desk]) -> None:
    """At 9 s for each place the greedy caller's next request would wait for 54 s, the modest one's for 18."""
    desk = desk_of(desks, seconds_max=50)
    await desk.arrive(caller="greedy")
    for _ in range(8):
        await desk.arrive(caller="greedy")
    for _ in range(3):
        await desk.leave(after_seconds=9, caller="greedy")
    assert refusal(await desk.arrive(caller="greedy")) == WOULD_WAIT_TOO_LONG
    modest = await desk.arrive(caller="modest")
    await desk.leave(after_seconds=1, caller="greedy")
    await desk.leave(after_seconds=1, caller="greedy")
    assert has_place(modest)


async def test_a_batch_keeps_its_place_while_one_of_its_operations_waits(desks: list[Desk]) -> None:
    desk = desk_of(desks, lanes=[Lane("batches", 1, rests=False)])
    place = Place(desk.queue, "batches")
    await place.enter()
    keep_place(place)
    other = await desk.arrive("batches")
    with resting():
        await settled()
        assert not other.done()
    place.leave()
    await settled()
    assert has_place(other)


async def test_the_place_of_a_request_that_rests_is_free_for_others(desks: list[Desk]) -> None:
    desk = desk_of(desks)
    place = Place(desk.queue, "one")
    await place.enter()
    keep_place(place)
    other = await desk.arrive()
    with resting():
        await settled()
        assert has_place(other)
    assert desk.queue.at_work == 2  # it has its place again without waiting
    place.leave()
    place.leave()
    assert desk.queue.at_work == 1


async def test_resting_without_a_place_changes_nothing() -> None:
    with resting():
        pass
    desk = Desk()
    place = Place(desk.queue, "one")
    with place.rested():
        pass
    assert desk.queue.at_work == 0


def test_a_delay_that_is_short_once_in_an_interval_does_not_stand() -> None:
    delay = StandingDelay(target_seconds=0.1, interval_seconds=0.5)
    for at in range(100):
        delay.note(0.01 if at % 4 == 0 else 3.0, at * 0.1)
        assert not delay.is_standing


def test_a_delay_that_is_long_for_an_interval_stands_until_it_is_short_once() -> None:
    delay = StandingDelay(target_seconds=0.1, interval_seconds=0.5)
    seen = []
    for at in range(8):
        delay.note(0.2, at * 0.1)
        seen.append(delay.is_standing)
    assert seen == [False] * 5 + [True] * 3
    delay.note(0.05, 0.9)
    assert not delay.is_standing


def test_one_long_stall_of_the_loop_refuses_nobody() -> None:
    loop = LoopDelay(target_seconds=0.1, interval_seconds=0.5)
    loop.note(30.0, 100.0)
    assert not loop.refuses()
    loop.note(0.0, 100.05)
    loop.note(30.0, 130.05)
    assert not loop.refuses()


def test_a_loop_that_stays_late_refuses_until_it_is_on_time_once() -> None:
    loop = LoopDelay(target_seconds=0.1, interval_seconds=0.5)
    for at in range(10):
        loop.note(0.15, at * 0.15)
    assert loop.refuses()
    loop.note(0.0, 2.0)
    assert not loop.refuses()


class Timers(asyncio.SelectorEventLoop):
    """A loop that never runs: its timers are taken by hand, and its clock says what the test says."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.waiting: list[asyncio.TimerHandle] = []

    def time(self) -> float:
        return self.now

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self.waiting.append(timer)
        return timer

    def run_timer(self, late_seconds: float) -> None:
        """Take the only timer, so much later than it was due."""
        (timer,) = self.waiting
        self.waiting.clear()
        self.now = timer.when() + late_seconds
        timer._run()


@pytest.fixture
def timers() -> Iterator[Timers]:
    with closing(Timers()) as loop:
        yield loop


def test_the_loop_is_sampled_while_requests_come_and_for_a_second_after_the_last(timers: Timers) -> None:
    delay = LoopDelay(target_seconds=0.1, interval_seconds=0.5)
    delay.start(timers)
    assert not timers.waiting, "without requests a process has nothing to do"
    for _ in range(3):
        assert not delay.refuses()
        timers.run_timer(0.0)
    samples = 0
    while timers.waiting:
        timers.run_timer(0.0)
        samples += 1
    assert samples == 19
    assert not delay.refuses()
    assert len(timers.waiting) == 1


def test_a_loop_that_is_late_is_sampled_until_it_is_on_time(timers: Timers) -> None:
    delay = LoopDelay(target_seconds=0.1, interval_seconds=0.5)
    delay.start(timers)
    assert not delay.refuses()
    for _ in range(40):
        timers.run_timer(0.2)
    assert delay.refuses()
    for _ in range(20):
        timers.run_timer(0.2)
    timers.run_timer(0.0)
    assert not timers.waiting
    assert not delay.refuses()


def test_the_samples_end_with_the_server(timers: Timers) -> None:
    delay = LoopDelay(target_seconds=5, interval_seconds=0.5)
    delay.start(timers)
    assert not delay.refuses()
    delay.stop()
    delay.stop()
    assert all(timer.cancelled() for timer in timers.waiting)
    timers.waiting.clear()
    assert not delay.refuses()
    assert not timers.waiting


async def test_a_turn_waits_for_the_one_before_and_other_keys_do_not() -> None:
    turns = BoundedTurns(seconds_max=60, standing_seconds_max=1, clock=Clock())
    order: list[str] = []

    async def work(key: str, name: str, until: asyncio.Event) -> None:
        await turns.take(key)
        order.append(name)
        await until.wait()
        turns.leave(key)

    first_may_end = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(work("a", "first", first_may_end))
        tasks.create_task(work("a", "second", first_may_end))
        tasks.create_task(work("b", "other", first_may_end))
        await settled()
        assert order == ["first", "other"]
        first_may_end.set()
    assert order == ["first", "other", "second"]
    assert not turns._queues
    assert not turns._users


async def test_a_turn_that_does_not_come_in_time_is_refused_and_leaves_nothing_behind() -> None:
    turns = BoundedTurns(seconds_max=0.01, standing_seconds_max=0.01, clock=Clock())
    await turns.take("a")
    for _ in range(2):
        with pytest.raises(TurnedAway):
            await turns.take("a")
    assert turns.is_taken("a")
    turns.leave("a")
    assert turns.take_at_once("a")
    assert not turns.take_at_once("a")
    turns.leave("a")
    assert not turns._queues
    assert not turns._users


async def test_a_place_gives_the_same_answer_to_whoever_the_request_is_handed_to() -> None:
    queue = WorkQueue(QueueLimits(1, 0.01, 0.01), ONE, clock=Clock())
    first, second = Place(queue, "one"), Place(queue, "one")
    for _ in range(2):
        await first.enter()
    assert queue.at_work == 1
    with pytest.raises(TurnedAway):
        await second.enter()
    first.leave()
    assert not second.enter_at_once()
    with pytest.raises(TurnedAway):
        await second.enter()
    assert queue.at_work == 0
