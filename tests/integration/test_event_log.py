"""The event log as the feed reads it: the fake and PostgreSQL answer alike."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from query_api.events.ports import EVERYTHING, EventFilter, EventLog, Stretch
from query_api.events.postgres.event_log import PostgresEventLog
from query_api.history.parts import open_log
from query_api.settings import QuerySettings
from shared.contract import events as e
from shared.contract.recorded_event import RecordedEvent
from shared.ops.secret import Secret
from tests.in_memory_event_log import InMemoryEventLog
from tests.integration.history_world import append
from tests.past_events import BEGAN, created, past_events, priced
from tests.servers import DatabaseDsns

pytestmark = pytest.mark.servers
Append = Callable[[Sequence[RecordedEvent]], Awaitable[None]]
LOOKED_EVENTS_MAX = 8


class Log:
    """One of the adapters, and how events get into it."""

    def __init__(self, log: EventLog, append: Append) -> None:
        self.log = log
        self.append = append


@pytest_asyncio.fixture(params=["memory", "postgres"])
async def world(request: pytest.FixtureRequest, event_store_dsns: DatabaseDsns) -> AsyncIterator[Log]:
    if request.param == "memory":
        fake = InMemoryEventLog(looked_events_max=LOOKED_EVENTS_MAX)
        yield Log(fake, fake.append)
        return
    async with AsyncExitStack() as stack:
        settings = QuerySettings(
            _env_file=None,  # type: ignore[call-arg]
            event_store_read_dsn=Secret(event_store_dsns.log_reader),
        )
        opened = await open_log(settings, stack)
        owner = await asyncpg.connect(event_store_dsns.owner)
        stack.push_async_callback(owner.close)

        async def into_postgres(events: Sequence[RecordedEvent]) -> None:
            await append(owner, events)

        yield Log(PostgresEventLog(opened.reads, looked_events_max=LOOKED_EVENTS_MAX), into_postgres)


def _of(found: Stretch) -> tuple[list[int], int, bool]:
    return [each.log_position for each in found.events], found.log_position, found.is_last


async def test_an_empty_log_has_an_end_and_no_events(world: Log) -> None:
    end = await world.log.end()
    assert (end.newest_position, end.removed_position) == (0, 0)
    assert await world.log.next_events(0) == []
    assert _of(await world.log.matching(0, EVERYTHING, 5)) == ([], 0, True)
    assert _of(await world.log.matching(0, EventFilter(product_id=uuid4()), 5)) == ([], 0, True)
    assert _of(await world.log.matching(0, EventFilter(since=BEGAN), 5)) == ([], 0, True)


async def test_events_come_whole_and_in_order(world: Log) -> None:
    events = past_events(created(), priced("8.00"), e.ProductPublished())
    await world.append(events)
    assert (await world.log.end()).newest_position == events[-1].log_position
    assert await world.log.next_events(0) == events
    assert await world.log.next_events(events[0].log_position) == events[1:]
    assert (await world.log.matching(0, EVERYTHING, 50)).events == events


async def test_a_stretch_is_bounded_and_says_how_far_it_looked(world: Log) -> None:
    events = past_events(created(), *(priced(f"{n}.00") for n in range(10)), e.ProductPublished())
    await world.append(events)
    at = [each.log_position for each in events]
    published = EventFilter(types=frozenset({"product-published"}))
    assert _of(await world.log.matching(0, published, 5)) == ([], at[7], False)
    assert _of(await world.log.matching(at[7], published, 5)) == ([at[11]], at[11], True)
    assert _of(await world.log.matching(0, EVERYTHING, 3)) == (at[:3], at[2], False)
    assert _of(await world.log.matching(at[11], EVERYTHING, 3)) == ([], at[11], True)


async def test_the_events_of_a_product_are_found_after_each_position(world: Log) -> None:
    mine, others = past_events(created(), priced("8.00")), past_events(created(), priced("9.00"))
    later = past_events(created(), priced("7.00"), e.ProductPublished())
    for events in (mine, others, later):
        await world.append(events)
    of_mine = EventFilter(product_id=mine[0].product_id)
    end = later[-1].log_position
    for after in range(mine[0].log_position - 1, end + 1):
        expected = [each.log_position for each in mine if each.log_position > after]
        assert _of(await world.log.matching(after, of_mine, 5)) == (expected, end, True)
    assert _of(await world.log.matching(0, of_mine, 1))[0] == [mine[0].log_position]
    priced_alone = EventFilter(frozenset({"product-price-changed"}), mine[0].product_id)
    assert _of(await world.log.matching(0, priced_alone, 5)) == ([mine[1].log_position], end, True)


async def test_a_time_is_found_at_each_event(world: Log) -> None:
    times = [BEGAN + timedelta(minutes=each) for each in range(7)]
    events = past_events(created(), *(priced(f"{n}.00") for n in range(6)), times=times)
    await world.append(events)
    for number, time in enumerate(times):
        for moment, first in ((time, number), (time + timedelta(seconds=1), number + 1)):
            found = await world.log.matching(0, EventFilter(since=moment), 50)
            assert found.events == events[first:]
        until = await world.log.matching(0, EventFilter(until=time), 50)
        assert until.events == events[:number]
