"""`GET /v1/events` on the real log: order, filters, cursors, and places that are not in this log."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from shared.contract import events as e
from shared.kafka.cloud_event import record_headers
from tests.integration.history_world import PastWorld, past
from tests.past_events import BEGAN, created, past_events, priced

__all__ = ["past"]

pytestmark = pytest.mark.servers
Items = list[dict[str, object]]


async def _end(past: PastWorld) -> int:
    return int(await past.log.fetchval("SELECT coalesce(max(position), 0) FROM catalogue.events"))


async def _page(past: PastWorld, **parameters: object) -> tuple[Items, str]:
    answer = await past.query.served.get("/v1/events", params=parameters)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    return answer.json()["items"], answer.json()["next_cursor"]


async def _refused(past: PastWorld, **parameters: object) -> tuple[int, str]:
    answer = await past.query.served.get("/v1/events", params=parameters)  # type: ignore[arg-type]
    return answer.status_code, answer.json()["code"]


def _positions(items: Items) -> list[int]:
    return [int(str(one["position"])) for one in items]


async def test_pages_have_every_event_once_and_in_order(past: PastWorld) -> None:
    begin = await _end(past)
    events = past_events(created(), *(priced(f"{n}.00") for n in range(9)))
    await past.append(events)
    seen: list[int] = []
    cursor = str(begin)
    for size in (4, 4, 2, 0):
        items, cursor = await _page(past, after=cursor, limit=4)
        assert len(items) == size
        seen += _positions(items)
    assert seen == [each.log_position for each in events]
    assert cursor == str(events[-1].log_position)


async def test_without_a_cursor_the_first_event_of_the_log_comes_first(past: PastWorld) -> None:
    await past.happened(created())
    first = await past.log.fetchval("SELECT min(position) FROM catalogue.events")
    items, _ = await _page(past, limit=1)
    assert _positions(items) == [first]


async def test_an_item_has_the_attributes_and_the_data_of_the_record_in_kafka(past: PastWorld) -> None:
    begin = await _end(past)
    (event,) = past_events(created(attributes={"colour": "blü"}))
    await past.append([event])
    answer = await past.query.served.get("/v1/events", params={"after": begin})
    (item,) = answer.json()["items"]
    log_id = await past.log.fetchval("SELECT log_id FROM catalogue.event_log")
    headers = dict(record_headers(event, str(log_id).encode()))
    attributes = {name.removeprefix("ce_"): value.decode() for name, value in headers.items()}
    attributes["datacontenttype"] = attributes.pop("content-type")
    del attributes["correlation_id"]
    assert event.data in answer.content, "the stored bytes"
    item.pop("data")
    assert {name: str(value) for name, value in item.items()} == attributes


async def test_filters_choose_and_the_cursor_passes_over_the_others(past: PastWorld) -> None:
    begin = await _end(past)
    mine = past_events(created(), priced("8.00"), e.ProductPublished())
    others = past_events(created(), priced("9.00"), priced("7.00"))
    await past.append(mine)
    await past.append(others)
    end = str(others[-1].log_position)
    product = mine[0].product_id
    for parameters, expected in (
        ({"types": "product-created"}, [mine[0], others[0]]),
        ({"types": "product-published,product-created"}, [mine[0], mine[2], others[0]]),
        ({"types": "product-deleted"}, []),
        ({"product_id": product}, mine),
        ({"product_id": product, "types": "product-price-changed"}, [mine[1]]),
        ({"product_id": uuid4()}, []),
        ({"after": mine[1].log_position, "product_id": product}, mine[2:]),
        ({"after": mine[2].log_position, "product_id": product}, []),
    ):
        items, cursor = await _page(past, **{"after": begin, **parameters})
        assert (_positions(items), cursor) == ([each.log_position for each in expected], end), parameters
    items, cursor = await _page(past, after=begin, types="product-created", limit=1)
    assert (_positions(items), cursor) == ([mine[0].log_position], str(mine[0].log_position))
    items, cursor = await _page(past, after=begin, product_id=product, limit=2)
    assert (_positions(items), cursor) == (
        [each.log_position for each in mine[:2]],
        str(mine[1].log_position),
    )


async def test_times_choose(past: PastWorld) -> None:
    times = [BEGAN + timedelta(days=1000 + n) for n in range(5)]
    begin = await _end(past)
    events = past_events(created(), *(priced(f"{n}.00") for n in range(4)), times=times)
    await past.append(events)

    async def found(**parameters: object) -> list[int]:
        items, _ = await _page(past, **{"after": begin, **parameters})
        return [int(str(one["streamversion"])) for one in items]

    for more in ({}, {"product_id": events[0].product_id}):
        assert await found(since=times[2].isoformat(), **more) == [3, 4, 5]
        assert await found(until=times[2].isoformat(), **more) == [1, 2]
        assert await found(since=times[1].isoformat(), until=times[3].isoformat(), **more) == [2, 3]
        assert await found(since=(times[4] + timedelta(days=1)).isoformat(), **more) == []
        assert await found(after=0, since=times[3].isoformat(), **more) == [4, 5]


async def test_a_place_that_is_not_in_this_log_is_refused(past: PastWorld) -> None:
    await past.happened(created())
    end = await _end(past)
    log_id = await past.log.fetchval("SELECT log_id FROM catalogue.event_log")
    assert await _refused(past, after=end + 1) == (409, "position-not-reached")
    assert await _refused(past, after=10**18 - 1) == (409, "position-not-reached")
    assert await _refused(past, after=end, log_id=uuid4()) == (409, "another-log")
    assert (await _page(past, after=end, log_id=UUID(str(log_id))))[1] == str(end)


@pytest.mark.parametrize(
    ("name", "value"),
    [("after", "x"), ("after", "-1"), ("after", str(10**18)), ("after", "1_0"), ("limit", "201"),
     ("wait", "31"), ("types", "product-eaten"), ("types", "product-created,"), ("since", "yesterday"),
     ("product_id", "1"), ("from", "1")],
)  # fmt: skip
async def test_a_parameter_of_a_wrong_form_is_named(past: PastWorld, name: str, value: str) -> None:
    answer = await past.query.served.get("/v1/events", params={name: value})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, f"/{name}")


async def test_a_long_poll_ends_with_the_first_event_that_matches(past: PastWorld) -> None:
    begin = await _end(past)
    wanted = {"types": "product-published", "wait": 30, "after": begin}
    waiting = [asyncio.create_task(_page(past, **wanted)) for _ in range(5)]
    others = past_events(created(), priced("9.00"))
    await past.append(others)
    mine = past_events(created(), e.ProductPublished())
    await past.append(mine)
    for items, cursor in await asyncio.gather(*waiting):
        assert _positions(items) == [mine[1].log_position]
        assert cursor == str(mine[1].log_position)


async def test_a_long_poll_that_finds_nothing_ends_at_the_end_of_the_log(past: PastWorld) -> None:
    begin = await _end(past)
    events = past_events(created(), priced("9.00"))
    waiting = asyncio.create_task(_page(past, types="product-deleted", wait=1, after=begin))
    await past.append(events)
    items, cursor = await waiting
    assert items == []
    assert begin <= int(cursor) <= events[-1].log_position


async def test_events_that_are_archived_are_refused_and_the_answer_says_where_to_begin(
    past: PastWorld,
) -> None:
    end = await _end(past)
    await past.happened(created())
    await past.log.execute(
        "INSERT INTO catalogue.archived_partitions (partition_name, lower_position, upper_position,"
        " events, sha256, removing_at) VALUES ('gone', 0, $1, 0, '', now())",
        end + 1,
    )
    try:
        answer = await past.query.served.get("/v1/events")
        assert (answer.status_code, answer.json()["code"]) == (409, "events-archived")
        assert f"after={end}" in answer.json()["detail"]
        assert len((await _page(past, after=end))[0]) == 1
    finally:
        await past.log.execute("DELETE FROM catalogue.archived_partitions")
