"""The event log as the past reads it: the fake and PostgreSQL answer alike."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from query_api.history.parts import open_log
from query_api.history.ports import Head, StreamLog, VersionAt
from query_api.history.postgres.grouped_pages import GroupedStreamPages
from query_api.history.postgres.stream_log import PAGE_BYTES_MAX, PAGE_EVENTS_MAX
from query_api.postgres.bounded_reads import BoundedReads
from query_api.settings import QuerySettings
from shared.contract import events as e
from shared.contract.recorded_event import RecordedEvent
from tests.in_memory_stream_log import InMemoryStreamLog
from tests.integration.history_world import append
from tests.past_events import BEGAN, created, past_events, priced
from tests.servers import DatabaseDsns

pytestmark = pytest.mark.servers
Append = Callable[[Sequence[RecordedEvent]], Awaitable[UUID]]


class Logs:
    """One of the adapters, and how events get into it."""

    def __init__(self, log: StreamLog, append: Append) -> None:
        self.log = log
        self.append = append


@pytest_asyncio.fixture
async def many_pages(
    event_store_of_module: DatabaseDsns,
) -> "AsyncIterator[tuple[GroupedStreamPages, Append]]":
    """Pages of at most three events, and how events get into them."""
    pool = await asyncpg.create_pool(event_store_of_module.log_reader, min_size=1, max_size=1)
    owner = await asyncpg.connect(event_store_of_module.owner)

    async def into_postgres(events: Sequence[RecordedEvent]) -> UUID:
        await append(owner, events)
        return events[0].product_id

    try:
        reads = BoundedReads(pool, name="latest", reads_max=1, waiting_max=1, wait_seconds_max=30)
        yield GroupedStreamPages(reads, events_max=3), into_postgres
    finally:
        await owner.close()
        await pool.close()


async def test_many_pages_are_one_statement_and_each_is_that_of_its_stream(
    many_pages: "tuple[GroupedStreamPages, Append]",
) -> None:
    pages, append_to_log = many_pages
    streams = [past_events(created(), *[priced("9.00")] * number) for number in range(6)]
    for events in streams:
        await append_to_log(events)
    asked = [(events[0].product_id, above) for events in streams for above in (0, 1, 9)]
    found = await asyncio.gather(
        pages.page(uuid4(), 0, 9), *(pages.page(one, above, 9) for one, above in asked)
    )
    expected = [events[above:][:3] for events in streams for above in (0, 1, 9)]
    assert [list(page) for page in found] == [[], *expected]


@pytest_asyncio.fixture(params=["memory", "postgres"])
async def logs(request: pytest.FixtureRequest, event_store_of_module: DatabaseDsns) -> AsyncIterator[Logs]:
    if request.param == "memory":
        fake = InMemoryStreamLog(page_events_max=PAGE_EVENTS_MAX)
        yield Logs(fake, fake.append)
        return
    settings = QuerySettings(
        _env_file=None,  # type: ignore[call-arg]
        event_store_read_dsn=event_store_of_module.log_reader,
    )
    async with AsyncExitStack() as stack:
        opened = await open_log(settings, stack)
        owner = await asyncpg.connect(event_store_of_module.owner)
        stack.push_async_callback(owner.close)

        async def into_postgres(events: Sequence[RecordedEvent]) -> UUID:
            await append(owner, events)
            return events[0].product_id

        yield Logs(opened.log, into_postgres)


async def test_a_head_is_the_newest_version_and_the_newest_position_of_the_log(logs: Logs) -> None:
    events = past_events(created(), priced("9.00"))
    product_id = await logs.append(events)
    assert await logs.log.head(product_id, with_position=False) == Head(2, False, None)
    assert await logs.log.head(product_id, with_position=True) == Head(2, False, events[-1].log_position)


async def test_a_product_that_never_was_has_no_version(logs: Logs) -> None:
    assert await logs.log.head(uuid4(), with_position=False) == Head(None, False, None)
    assert await logs.log.version_at(uuid4(), BEGAN) is None
    assert await logs.log.page(uuid4(), 0, 5) == []


@pytest.mark.parametrize(
    ("days", "version"), [(-1, 0), (0, 1), (0.5, 1), (1, 3), (1.5, 3), (2, 4), (3, 5), (100, 5)]
)
async def test_the_version_at_a_time_is_that_of_the_last_event_until_then(
    logs: Logs, days: float, version: int
) -> None:
    times = [BEGAN + timedelta(one) for one in (0, 1, 1, 2, 3)]  # the second command made two events
    product_id = await logs.append(past_events(created(), *[priced("9.00")] * 4, times=times))
    found = await logs.log.version_at(product_id, BEGAN + timedelta(days))
    assert found == VersionAt(version, 5)


async def test_a_page_has_the_next_events_of_its_product_with_all_that_the_log_has(logs: Logs) -> None:
    events = past_events(created(), e.ProductPublished(), priced("9.00"), priced("8.00"))
    await logs.append(past_events(created()))
    product_id = await logs.append(events)
    assert await logs.log.page(product_id, 0, 4) == events
    assert await logs.log.page(product_id, 1, 3) == events[1:3]
    assert await logs.log.page(product_id, 4, 9) == []


async def test_a_page_ends_at_its_limit(logs: Logs) -> None:
    product_id = await logs.append(past_events(created(), *[priced("9.00")] * PAGE_EVENTS_MAX))
    page = await logs.log.page(product_id, 0, PAGE_EVENTS_MAX + 1)
    assert [event.stream_version for event in page] == list(range(1, PAGE_EVENTS_MAX + 1))
    rest = await logs.log.page(product_id, PAGE_EVENTS_MAX, PAGE_EVENTS_MAX + 1)
    assert [event.stream_version for event in rest] == [PAGE_EVENTS_MAX + 1]


@pytest.mark.parametrize("logs", ["postgres"], indirect=True)
async def test_a_page_ends_before_it_has_too_many_bytes_but_has_one_event(logs: Logs) -> None:
    large = e.ProductDetailsChanged(description="x" * (PAGE_BYTES_MAX // 2))
    too_large = e.ProductDetailsChanged(description="x" * (PAGE_BYTES_MAX + 1))
    product_id = await logs.append(past_events(created(), large, large, large, too_large))
    versions = []
    for above in (0, 3, 4):
        page = await logs.log.page(product_id, above, 5)
        versions.append([event.stream_version for event in page])
    assert versions == [[1, 2, 3], [4, 5], [5]]
