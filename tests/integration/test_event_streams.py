"""`GET /v1/events/stream` on the real log and a real server: what comes, where it begins, how it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
import pytest_asyncio

from shared.contract import events as e
from shared.contract.recorded_event import RecordedEvent
from tests.eventually import eventually
from tests.integration.history_world import PastWorld, past, past_world
from tests.past_events import created, past_events, priced
from tests.servers import DatabaseDsns
from tests.sse_client import Received, following

__all__ = ["past"]

pytestmark = pytest.mark.servers


@pytest_asyncio.fixture
async def small(
    read_model_dsns: DatabaseDsns, event_store_dsns: DatabaseDsns, redis_url: str
) -> AsyncIterator[PastWorld]:
    """A window of few events, signs of life often, and few clients."""
    settings = {
        "event_window_events_max": 3,
        "event_stream_heartbeat_seconds": 0.05,
        "event_stream_clients_max": 2,
    }
    async with past_world(read_model_dsns, event_store_dsns, redis_url, **settings) as world:
        yield world


def _positions(received: list[Received]) -> list[int]:
    return [int(each.id) for each in received]


def _of(events: list[RecordedEvent]) -> list[int]:
    return [each.log_position for each in events]


async def test_a_stream_begins_at_the_present_end_and_brings_what_comes(past: PastWorld) -> None:
    await past.happened(created())
    async with following(past.query.served) as stream:
        assert stream.response.headers["content-type"] == "text/event-stream"
        assert stream.response.headers["cache-control"] == "no-cache"
        assert stream.response.headers["x-accel-buffering"] == "no"
        events = past_events(created(), priced("8.00"))
        await past.append(events)
        received = await stream.next(2)
        assert _positions(received) == _of(events)
        assert [each.event for each in received] == ["product-created", "product-price-changed"]
        assert [each.data["position"] for each in received] == [each.id for each in received]
        assert stream.retry_milliseconds is not None


async def test_an_event_is_the_same_in_a_stream_and_on_a_page(past: PastWorld) -> None:
    async with following(past.query.served) as stream:
        events = past_events(created(), priced("8.00"), e.ProductPublished())
        await past.append(events)
        received = await stream.next(3)
    page = await past.query.served.get("/v1/events", params={"after": events[0].log_position - 1})
    assert [each.data for each in received] == page.json()["items"]


@pytest.mark.parametrize("window", ["inside", "before"])
async def test_a_stream_goes_on_after_the_last_event_that_its_client_has(
    past: PastWorld, small: PastWorld, window: str
) -> None:
    world = past if window == "inside" else small
    events = past_events(created(), *(priced(f"{n}.00") for n in range(20)))
    await world.append(events)
    async with following(world.query.served, str(events[4].log_position), after=0) as stream:
        more = past_events(created(), priced("8.00"))
        await world.append(more)
        assert _positions(await stream.next(18)) == _of(events[5:]) + _of(more)
    async with following(world.query.served, after=events[18].log_position) as stream:
        assert _positions(await stream.next(4)) == _of(events[19:]) + _of(more)


async def test_filters_choose(past: PastWorld) -> None:
    async with (
        following(past.query.served, types="product-published,product-archived") as by_type,
        following(past.query.served) as everything,
    ):
        mine = past_events(created(), e.ProductPublished())
        await past.append(mine)
        others = past_events(created(), e.ProductPublished(), e.ProductArchived())
        await past.append(others)
        assert _positions(await by_type.next(3)) == [_of(mine)[1], *_of(others)[1:]]
        assert _positions(await everything.next(5)) == _of(mine) + _of(others)
        async with following(past.query.served, product_id=others[0].product_id, after=0) as of_product:
            assert _positions(await of_product.next(3)) == _of(others)


async def test_the_place_of_a_client_moves_although_nothing_matches(small: PastWorld) -> None:
    async with following(small.query.served, types="product-deleted") as stream:
        reading = asyncio.create_task(stream.next(1))
        events = past_events(created(), priced("8.00"))
        await small.append(events)

        def has_moved() -> None:
            assert stream.last_event_id == str(events[-1].log_position)

        await eventually(has_moved)
        assert stream.comments
        gone = past_events(created(), e.ProductDeleted())
        await small.append(gone)
        assert _positions(await reading) == [gone[1].log_position]


async def test_more_clients_than_allowed_are_refused_until_one_leaves(small: PastWorld) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(following(small.query.served))
        answer = await small.query.served.get("/v1/events/stream")
        assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
        assert int(answer.headers["retry-after"]) > 0

    async def is_accepted() -> int:
        async with small.query.served.stream("GET", "/v1/events/stream") as answer:
            assert answer.status_code == 200
            return answer.status_code

    accepted: int = await eventually(is_accepted)
    assert accepted == 200


async def test_who_has_left_is_forgotten_and_then_nothing_runs(small: PastWorld) -> None:
    async with (
        httpx.AsyncClient(base_url=str(small.query.served.base_url), timeout=30) as client,
        following(client) as stream,
    ):
        await small.append(past_events(created()))
        await stream.next(1)

    def is_idle() -> None:
        names = {task.get_name() for task in asyncio.all_tasks()}
        assert not names & {"event-tail", "event-streams", "event-stream"}

    await eventually(is_idle)


@pytest.mark.parametrize(
    ("headers", "parameters", "status", "code"),
    [
        ({"last-event-id": "x"}, {}, 400, "malformed-header"),
        ({"last-event-id": str(10**17)}, {}, 409, "position-not-reached"),
        ({}, {"after": 10**17}, 409, "position-not-reached"),
        ({}, {"log_id": "01920000-0000-7000-8000-000000000000"}, 409, "another-log"),
        ({}, {"types": "product-eaten"}, 400, "invalid-parameter"),
        ({}, {"limit": 1}, 400, "invalid-parameter"),
    ],
)
async def test_a_stream_that_cannot_begin_is_a_problem(
    past: PastWorld, headers: dict[str, str], parameters: dict[str, Any], status: int, code: str
) -> None:
    answer = await past.query.served.get("/v1/events/stream", params=parameters, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_head_request_of_a_stream_ends_at_once(past: PastWorld) -> None:
    answer = await past.query.served.head("/v1/events/stream")
    assert (answer.status_code, answer.content) == (200, b"")


async def test_open_streams_are_no_requests_in_progress(past: PastWorld) -> None:
    async with AsyncExitStack() as stack:
        # More than one caller may have in progress.
        streams = [await stack.enter_async_context(following(past.query.served)) for _ in range(80)]
        assert past.query.api.rates.in_progress.total() == 0
        events = past_events(created(), priced("8.00"))
        await past.append(events)
        for stream in streams:
            assert _positions(await stream.next(2)) == _of(events)
        assert (await past.query.served.get("/v1/products")).status_code == 200


async def test_a_forged_ticket_is_refused_without_access_control_too(past: PastWorld) -> None:
    made = await past.query.served.get("/v1/events/stream-ticket")
    async with following(past.query.served, ticket=made.json()["ticket"]) as stream:
        assert stream.response.status_code == 200
    answer = await past.query.served.get("/v1/events/stream", params={"ticket": "forged"})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid-token")
