"""Streams of events over a log in memory: from history to the window to live, without a gap or a repeat."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from uuid import UUID

import pytest
import pytest_asyncio

from query_api.errors import EventLogUnavailable
from query_api.events.ports import EventFilter
from tests.eventually import eventually
from tests.unit.query_api.event_world import Client, FeedWorld, positions, query

MakeWorld = Callable[..., FeedWorld]


@pytest_asyncio.fixture
async def make() -> AsyncIterator[MakeWorld]:
    made: list[FeedWorld] = []

    def one(**settings: float) -> FeedWorld:
        made.append(FeedWorld(**settings))  # type: ignore[arg-type]
        return made[-1]

    yield one
    for world in made:
        await world.close()


async def test_a_stream_is_live_and_gets_each_event_once(make: MakeWorld) -> None:
    world = make()
    old = await world.append(3)
    client = world.client(old[1].log_position)
    await client.has(positions(old[2:]))
    new = await world.append(4)
    await client.has(positions(old[2:] + new))


@pytest.mark.parametrize("meanwhile", range(6))
async def test_events_that_come_while_history_is_read_are_neither_lost_nor_repeated(
    make: MakeWorld, meanwhile: int
) -> None:
    """The answers of the log are held back, and so many events come before each. The window has two."""
    world = make(window_events_max=2)
    events = await world.append(10)
    live = world.client(positions(events)[-1])
    await world.is_at(positions(events)[-1])
    world.log.barrier = asyncio.Semaphore(0)
    late = world.client(0)
    expected = positions(events)
    for _ in range(3):
        await eventually(partial(_is_held_back_or_has, world, late, list(expected)))
        expected += positions(await world.append(meanwhile))
        await world.is_at(expected[-1])
        world.log.barrier.release()
    for _ in range(3):
        world.log.barrier.release()
    await late.has(expected)
    await live.has(expected[10:])
    expected += positions(await world.append(2))
    await late.has(expected)
    await live.has(expected[10:])


def _is_held_back_or_has(world: FeedWorld, client: Client, expected: list[int]) -> None:
    assert world.log.waiting or client.positions == expected


async def test_a_filter_leaves_out_and_the_place_moves_over_it(make: MakeWorld) -> None:
    world = make(window_events_max=2, heartbeat_seconds=0.01)
    events = await world.append(6)
    client = world.client(0, EventFilter(product_id=events[1].product_id))
    other = world.client(0, EventFilter(types=frozenset({"product-deleted"})))
    await client.has([events[1].log_position])
    events += await world.append(3)
    await client.has([events[1].log_position])

    def have_moved() -> None:
        assert client.place == other.place == events[-1].log_position

    await eventually(have_moved)
    assert other.positions == []


async def test_who_does_not_read_gets_no_more_and_later_all_of_it(make: MakeWorld) -> None:
    world = make(window_events_max=2, waiting_bytes_max=100)
    slow, other = world.client(0), world.client(0)
    begin = await world.append(1)
    await slow.has(positions(begin))
    slow.connection.stop_reading()
    events = begin
    for _ in range(10):
        events = events + await world.append(1)
        await other.has(positions(events))
    assert slow.positions == positions(events[:2]), "one more, and then it had not read enough"
    slow.connection.read_on()
    await slow.has(positions(events))
    events = events + await world.append(2)
    await slow.has(positions(events))
    await other.has(positions(events))


async def test_a_stop_ends_every_stream_and_new_ones_as_they_begin(make: MakeWorld) -> None:
    world = make()
    events = await world.append(2)
    clients = [world.client(0) for _ in range(5)]
    for client in clients:
        await client.has(positions(events))
    world.streams.stop()
    clients.append(world.client(0))
    for client in clients:
        assert client.connection.is_closed
        assert client.connection.transport.written.endswith(b"0\r\n\r\n")
    await world.is_idle()


async def test_a_stream_ends_when_it_is_old(make: MakeWorld) -> None:
    world = make(heartbeat_seconds=0.01, seconds_max=0.02)
    client = world.client(0)

    def has_ended() -> None:
        assert client.connection.is_closed

    await eventually(has_ended)


async def test_without_clients_the_log_is_not_asked(make: MakeWorld) -> None:
    world = make()
    assert world.log.reads == 0
    first, second = world.client(0), world.client(0)
    events = await world.append(1)
    await first.has(positions(events))
    await second.has(positions(events))
    first.connection.lose()
    await second.has(positions(events))
    assert world.tail.is_running
    second.connection.lose()
    await world.is_idle()
    reads = world.log.reads
    for _ in range(20):
        await asyncio.sleep(0)
    assert world.log.reads == reads
    third = world.client(0)
    await third.has(positions(events))


async def test_while_the_log_is_away_streams_live_and_then_go_on(make: MakeWorld) -> None:
    world = make(window_events_max=2, heartbeat_seconds=0.01)
    events = await world.append(5)
    live = world.client(0)
    await live.has(positions(events))
    world.log.failure = EventLogUnavailable("away")
    behind = world.client(0)

    def lives() -> None:
        assert behind.connection.transport.written.count(b":\n\n") > 2

    await eventually(lives)
    events += await world.append(3)
    world.log.failure = None
    await live.has(positions(events))
    await behind.has(positions(events))


@pytest.mark.parametrize("how", ["another log", "went back"])
async def test_after_an_outage_another_log_ends_the_streams(make: MakeWorld, how: str) -> None:
    world = make(behind_seconds_max=0.01)
    events = await world.append(3)
    client = world.client(0)
    await client.has(positions(events))
    world.log.failure = EventLogUnavailable("restored")
    if how == "another log":
        world.log.restore(log_id=UUID(int=2), upto=positions(events)[-1])
    else:
        world.log.restore(upto=positions(events)[0])
    await eventually(lambda: _is_doubted(world))
    world.log.failure = None

    def has_ended() -> None:
        assert client.connection.is_closed

    await eventually(has_ended)
    assert client.positions == positions(events)


def _is_doubted(world: FeedWorld) -> None:
    assert world.tail.is_doubtful


async def test_a_log_that_is_away_for_longer_than_a_newcomer_waits_is_told(make: MakeWorld) -> None:
    world = make()
    world.log.failure = EventLogUnavailable("away")
    with pytest.raises(EventLogUnavailable):
        await world.streams.start(world.pages, None, None)
    await world.is_idle()


async def test_pages_and_waits(make: MakeWorld) -> None:
    world = make()
    events = await world.append(5)
    page = await world.pages.page(query(limit=2))
    assert ([each.log_position for each in page.events], page.log_position) == (
        positions(events[:2]), events[1].log_position,
    )  # fmt: skip
    last = events[-1].log_position
    waiting = [asyncio.create_task(world.pages.page(query(last, 1000.0, limit=2))) for _ in range(3)]
    await world.is_at(last)
    more = await world.append(3)
    for each in waiting:
        found = await each
        got = [one.log_position for one in found.events]
        assert got == positions(more)[: len(got)]
        assert got
        assert found.log_position == got[-1]
    await world.is_idle()


async def test_a_wait_ends_with_the_process(make: MakeWorld) -> None:
    world = make()
    events = await world.append(1)
    last = events[-1].log_position
    waiting = asyncio.create_task(world.pages.page(query(last, 1000.0)))
    await world.is_at(last)
    world.pages.stop()
    page = await waiting
    assert (page.events, page.log_position) == ([], last)
    assert (await world.pages.page(query(last, 1000.0))).events == []
