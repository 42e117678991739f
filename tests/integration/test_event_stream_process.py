"""Streams of query APIs as processes: killed, stopped, several, and without PostgreSQL. No subscriber misses
an event, and none gets one twice.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg
import httpx
import pytest

from deploy.local.postgres import PostgresServer
from shared.contract.recorded_event import RecordedEvent
from tests.eventually import eventually
from tests.integration.history_world import append
from tests.integration.started_processes import QUERY_API, Installation, Started, started
from tests.past_events import created, past_events, priced
from tests.servers import DatabaseDsns
from tests.sse_client import SseStream, following

pytestmark = pytest.mark.servers
STREAMS = 200


@pytest.fixture
def stores(event_store_dsns: DatabaseDsns, read_model_dsns: DatabaseDsns, redis_url: str) -> Installation:
    return Installation(event_store_dsns, read_model_dsns, redis_url, "127.0.0.1:1", "feed")


@asynccontextmanager
async def _process(stores: Installation, **settings: str) -> AsyncIterator[Started]:
    async with started(QUERY_API, stores, SEARCH="off", **settings) as process:
        await process.is_ready()
        yield process


async def _append(stores: Installation, count: int, **fields: str) -> list[int]:
    """Positions of so many new events."""
    events = past_events(created(**fields), *(priced(f"{n}.00") for n in range(count - 1)))
    await _append_all(stores, events)
    return [each.log_position for each in events]


async def _append_all(stores: Installation, events: Sequence[RecordedEvent]) -> None:
    log = await asyncpg.connect(stores.event_store.owner)
    try:
        await append(log, events)
    finally:
        await log.close()


async def _ids(stream: SseStream, count: int) -> list[int]:
    return [int(each.id) for each in await stream.next(count)]


async def test_a_subscriber_of_a_killed_process_goes_on_with_another(stores: Installation) -> None:
    expected = await _append(stores, 30)
    async with _process(stores) as first, following(first.api, after=0) as stream:
        await stream.next(20)
        more = asyncio.create_task(_append(stores, 30))
        first.process.kill()
        expected += await more
        with pytest.raises(httpx.TransportError):
            await stream.rest()
        received, last = stream.positions, stream.last_event_id
    async with _process(stores) as second, following(second.api, last) as stream:
        received += await _ids(stream, len(expected) - len(received))
        expected += await _append(stores, 2)
        received += await _ids(stream, 2)
    assert received == expected


async def test_subscribers_of_two_processes_get_the_same_and_may_change(stores: Installation) -> None:
    async with _process(stores) as one, _process(stores) as other:
        async with following(one.api, after=0) as first, following(other.api, after=0) as second:
            expected = await _append(stores, 5)
            assert await _ids(first, 5) == await _ids(second, 5) == expected
            place = first.last_event_id
        missed = await _append(stores, 3)
        async with following(other.api, place) as changed:
            assert await _ids(changed, 3) == missed


async def test_sigterm_ends_all_streams_after_a_whole_event_and_the_process_at_once(
    stores: Installation,
) -> None:
    limits = httpx.Limits(max_connections=None)
    async with _process(stores, SHUTDOWN_SECONDS_MAX="600") as process, AsyncExitStack() as stack:
        client = await stack.enter_async_context(
            httpx.AsyncClient(base_url=process.api.base_url, limits=limits, timeout=60)
        )
        streams = [await stack.enter_async_context(following(client)) for _ in range(STREAMS)]
        polling = asyncio.create_task(client.get("/v1/events", params={"after": 0, "wait": 30}))
        expected = await _append(stores, 10)
        for stream in streams:
            assert await _ids(stream, 4) == expected[:4]
        process.process.send_signal(signal.SIGTERM)
        for stream in streams:  # no error: each answer has its last chunk
            rest = [int(each.id) for each in await stream.rest()]
            assert rest == expected[4 : 4 + len(rest)]
        assert (await polling).status_code == 200
        assert await asyncio.wait_for(process.process.wait(), 60) == 0


async def test_streams_stay_open_while_postgresql_is_away_and_go_on(
    stores: Installation, postgres_server: PostgresServer
) -> None:
    async with _process(stores, EVENT_STREAM_HEARTBEAT_SECONDS="0.1") as process:
        expected = await _append(stores, 3)
        async with following(process.api, after=0) as behind, following(process.api) as live:
            assert await _ids(behind, 3) == expected
            reading = asyncio.create_task(_ids(live, 2))
            try:
                postgres_server.kill()
                comments = live.comments

                def signs_of_life_come() -> None:
                    assert live.comments > comments + 3

                await eventually(signs_of_life_come)
            finally:
                postgres_server.ensure_running()
            more = await _append(stores, 2)
            assert await reading == await _ids(behind, 2) == more


async def test_a_client_that_does_not_read_is_cut_off_and_the_others_notice_nothing(
    stores: Installation,
) -> None:
    settings = {
        "EVENT_STREAM_BYTES_MAX": "65536",
        "ANSWER_SECONDS_MAX": "5",
        "CLIENT_BYTES_PER_SECOND_MIN": "100000000",
        "EVENT_WINDOW_EVENTS_MAX": "5",
    }
    async with _process(stores, **settings) as process:
        url = httpx.URL(process.api.base_url)
        slow, to_server = await asyncio.open_connection(url.host, url.port, limit=1024)
        to_server.write(b"GET /v1/events/stream HTTP/1.1\r\nhost: localhost\r\n\r\n")
        await slow.readuntil(b"retry:")
        async with following(process.api) as reader:
            expected: list[int] = []
            # It reads all the time: otherwise it would be a slow one, too.
            reading = asyncio.create_task(_ids(reader, 40))
            for _ in range(40):
                expected += await _append(stores, 1, description="x" * 400_000)
            assert await reading == expected

            async def is_cut_off() -> int:
                metrics: httpx.Response = await process.metrics()
                assert 'event_streams_ended_total{reason="slow"} 1.0' in metrics.text
                return metrics.status_code

            status: int = await eventually(is_cut_off)
            assert status == 200
        to_server.close()
        async with following(process.api, str(expected[2])) as again:
            assert await _ids(again, len(expected) - 3) == expected[3:]
