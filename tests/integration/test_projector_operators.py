"""The operator's day: a poisoned event is seen, mended and retried, by command and over HTTP; others flow."""

from typing import Any

import httpx
import pytest

from shared.contract import events as e
from tests.eventually import eventually
from tests.integration.projector_commands import command, command_json, dead_letters, poison
from tests.integration.projector_world import World, product_id_in, world
from tests.integration.relay_world import read_raw
from tests.unit.projector.histories import created, history, priced

__all__ = ["world"]
pytestmark = pytest.mark.servers


async def test_a_poisoned_product_is_found_mended_and_retried_in_order_while_others_flow(
    world: World,
) -> None:
    events = history(product_id_in(3), created(), priced("2.00"), priced("3.00"), e.ProductPublished())
    other = history(product_id_in(3), created(), priced("2.00"))
    product = str(events[0].product_id)
    async with world.projecting("product_view", "product_cache"):
        # Not before: what the log has at the start, the cache would take from there.
        await world.append([*events, *other])
        await world.publish(events[:1])
        await poison(world, events[1])
        await world.publish([*other, *events[2:]])
        await eventually(lambda: world.table_shows(other[0].product_id, 2))
        await eventually(lambda: world.cache_shows(other[0].product_id, 2))

        async def all_parked() -> None:
            # The oldest comes first, and either of them may park first.
            found = [
                (one["projection"], one["product_id"], one["events"]) for one in await dead_letters(world)
            ]
            assert sorted(found) == [("product_cache", product, 3), ("product_view", product, 3)]

        await eventually(all_parked)
        await world.table_shows(events[0].product_id, 1)
        shown = await command_json(
            world, "dead-letters", "show", "--product", product, "--projection", "product_view"
        )
        assert [one["stream_version"] for one in shown] == [2, 3, 4]
        assert shown[0]["value"] == "{"
        assert "undecodable" in await command(world, "dead-letters", "list", "--class", "undecodable")

        choice = ("--projection", "product_view", "--product", product)
        output = await command(world, "dead-letters", "retry", *choice, "--reason", "hope", code=3)
        assert "failed" in output
        dry = await command_json(world, "dead-letters", "retry", *choice, "--from-log", "--dry-run")
        assert [(one["outcome"], one["left"]) for one in dry] == [("would-be-retried", 3)]
        assert await world.views.fetchval("SELECT count(*) FROM views.parked_event") == 6
        await command(
            world, "dead-letters", "retry", *choice, "--from-log", "--reason", "the record was spoilt"
        )
        await world.table_shows(events[0].product_id, 4)
        await command(world, "dead-letters", "retry", "--projection", "product_cache", "--all", "--from-log")
        await world.cache_shows(events[0].product_id, 4)
        assert await dead_letters(world) == []
        # What comes now is projected like any other event.
        more = history(events[0].product_id, *[e.ProductArchived()] * 5)[4:]
        await world.happen(more)
        await eventually(lambda: world.table_shows(events[0].product_id, 5))
        await eventually(lambda: world.cache_shows(events[0].product_id, 5))
    listed = (await command_json(world, "audit"))["items"]
    assert [(one["action"], one["projection"], one["reason"], one["result"]) for one in listed] == [
        ("retry", "product_cache", "", "done"),
        ("retry", "product_view", "the record was spoilt", "done"),
        ("retry", "product_view", "hope", "failed"),
    ]
    assert {one["product_id"] for one in listed} == {product}
    assert "undecodable" in listed[2]["detail"] or "MalformedEventData" in listed[2]["detail"]


async def test_what_is_given_up_needs_a_reason_and_a_choice(world: World) -> None:
    stray = history(product_id_in(3), created())[0]
    async with world.projecting("product_view"):
        await world.producer.send_and_wait(world.topic, b"?", b"no id", partition=3)
        await world.happen([stray])
        await eventually(lambda: world.table_shows(stray.product_id, 1))
    (dead_letter,) = await dead_letters(world, "--projection", "product_view")
    assert (dead_letter["product_id"], dead_letter["error_class"]) == (None, "unreadable-record")
    choice = (
        "dead-letters",
        "discard",
        "--projection",
        "product_view",
        "--id",
        str(dead_letter["letter_id"]),
    )
    assert "--reason" in await command(world, *choice, code=2)
    output = await command(
        world, "dead-letters", "discard", "--projection", "product_view", "--reason", "x", code=2
    )
    assert "choose dead letters" in output
    assert "no such projection" in await command(
        world, "dead-letters", "discard", "--projection", "nothing", "--all", "--reason", "x", code=2
    )
    for looking in ("list", "show"):
        misspelt = await command(world, "dead-letters", looking, "--projection", "product_veiw", code=2)
        assert "no such projection: product_veiw" in misspelt
    assert "discarded" in await command(world, *choice, "--reason", "not ours")
    assert await dead_letters(world) == []


async def test_a_parked_record_is_copied_to_the_dead_letter_topic_with_its_cause(world: World) -> None:
    events = history(product_id_in(3), created(), priced("2.00"))
    await world.append(events)
    async with world.projecting("product_view"):
        await world.publish(events[:1])
        await poison(world, events[1])
        await eventually(lambda: _copied(world, 1))
        topic = f"{world.topic}.{world.settings.kafka_topic_prefix}product_view.dlt"
        (record,) = await read_raw(world.settings.kafka_bootstrap_servers, topic)
    assert record.partition == 3
    headers = dict(record.headers)
    assert (record.key, record.value) == (str(events[1].product_id).encode(), b"{")
    assert headers["ce_id"] == str(events[1].metadata.event_id).encode()
    assert headers["kafka_dlt-original-topic"] == headers["__streams.errors.topic"] == world.topic.encode()
    assert int.from_bytes(headers["kafka_dlt-original-offset"], "big") == 1
    assert headers["__streams.errors.offset"] == b"1"
    assert headers["__streams.errors.partition"] == b"3"
    assert int.from_bytes(headers["kafka_dlt-original-partition"], "big") == 3
    assert headers["kafka_dlt-exception-fqcn"] == headers["__streams.errors.exception"] == b"undecodable"
    assert b"MalformedEventData" in headers["kafka_dlt-exception-message"]


async def _copied(world: World, count: int) -> None:
    done = await world.views.fetchval("SELECT count(*) FROM views.parked_event WHERE copied_at IS NOT NULL")
    assert done == count


async def test_a_paused_projection_stands_still_over_a_restart_until_it_is_resumed(world: World) -> None:
    events = history(product_id_in(3), created(), priced("2.00"), priced("3.00"))
    async with world.projecting():
        await world.happen(events[:1])
        await eventually(lambda: world.table_shows(events[0].product_id, 1))
        await command(world, "pause", "product_view", "--reason", "the table is being looked at")
        await eventually(lambda: _metric(world, 'projection_paused{projection="product_view"} 1.0'))
        await world.happen(events[1:2])
        await eventually(lambda: world.cache_shows(events[0].product_id, 2))
        await eventually(
            lambda: _metric(world, 'projection_lag_events{partition="3",projection="product_view"} 1.0')
        )
        await world.table_shows(events[0].product_id, 1)
        await world.ready()
    async with world.projecting():
        await world.happen(events[2:])
        await eventually(lambda: world.cache_shows(events[0].product_id, 3))
        await eventually(lambda: _metric(world, 'projection_paused{projection="product_view"} 1.0'))
        await world.table_shows(events[0].product_id, 1)
        await command(world, "resume", "product_view")
        await eventually(lambda: world.table_shows(events[0].product_id, 3))
    assert "reason" in await command(world, "pause", "product_view", code=2)


async def _metric(world: World, line: str) -> None:
    assert line in (await world.ops("/metrics")).text


async def test_when_too_many_products_fail_the_projection_waits_says_so_and_goes_on_when_told(
    world: World,
) -> None:
    events = [history(product_id_in(3), created())[0] for _ in range(3)]
    is_open = 'projection_breaker_open{projection="product_view"}'
    async with world.projecting("product_view", parked_products_per_minute_max=2):
        await world.append(events)
        await world.views.execute("ALTER TABLE views.product_view ADD CONSTRAINT no CHECK (false) NOT VALID")
        await world.publish(events)
        await eventually(lambda: _metric(world, f"{is_open} 1.0"))
        await eventually(lambda: _status_has(world, "waiting", "too many for a few bad events"))
        await world.views.execute("ALTER TABLE views.product_view DROP CONSTRAINT no")
        await command(world, "resume", "product_view")
        await eventually(lambda: world.table_shows(events[2].product_id, 1))
        await eventually(lambda: _metric(world, f"{is_open} 0.0"))
        await command(world, "dead-letters", "retry", "--projection", "product_view", "--all")
        for event in events:
            await world.table_shows(event.product_id, 1)


async def _status_has(world: World, *words: str) -> None:
    output = await command(world, "status")
    assert [word for word in words if word not in output] == []


async def test_a_record_that_cannot_be_is_not_ordered_to_be_parked(world: World) -> None:
    park = ("dead-letters", "park", "--projection", "product_view", "--reason", "a slip of the finger")
    refused = await command(world, *park, "--partition", "99", "--offset", "1", code=2)
    assert refused == f"no such partition: 99; {world.topic} has 0 to 11\n"
    refused = await command(world, *park, "--partition", "3", "--offset", "-1", code=2)
    assert "argument --offset: '-1' is not a whole number of at least 0" in refused
    assert await world.views.fetchval("SELECT count(*) FROM views.park_order") == 0


async def test_a_projection_that_has_stopped_goes_on_when_it_is_resumed(world: World) -> None:
    event = history(product_id_in(3), created())[0]
    async with world.projecting("product_view", "product_cache"):
        await world.publish([event], log_id=event.product_id)
        await eventually(lambda: world.stopped("product_view"))
        await command(
            world, "dead-letters", "park", "--projection", "product_view",
            "--partition", "3", "--offset", "0", "--reason", "of a log that we do not know",
        )  # fmt: skip
        await command(world, "resume", "product_view")
        behind = history(product_id_in(3), created())[0]
        await world.happen([behind])
        await eventually(lambda: world.table_shows(behind.product_id, 1))
    assert [one["error_class"] for one in await dead_letters(world)] == ["ordered"]


async def test_the_operations_port_does_what_the_commands_do(world: World) -> None:
    events = history(product_id_in(3), created(), priced("2.00"))
    await world.append(events)
    url = f"http://127.0.0.1:{world.settings.projector_ops_port}"
    async with world.projecting("product_view"), httpx.AsyncClient(base_url=url, timeout=30) as port:
        await world.publish(events[:1])
        await poison(world, events[1])

        async def is_listed() -> dict[str, Any]:
            found: list[dict[str, Any]] = (await port.get("/dead-letters?projection=product_view")).json()
            assert len(found) == 1
            return found[0]

        dead_letter = await eventually(is_listed)
        assert dead_letter["product_id"] == str(events[0].product_id)
        records = (await port.get(f"/dead-letters/records?letter={dead_letter['letter_id']}")).json()
        assert records[0]["value"] == "{"
        misspelt = await port.get("/dead-letters?class=undecodabel")
        assert (misspelt.status_code, "undecodable" in misspelt.json()["detail"]) == (400, True)
        answer = await port.post("/dead-letters/retry", json={"projection": "product_view", "class": "odd"})
        assert answer.status_code == 400
        wanted = {"projection": "product_view", "product": dead_letter["product_id"]}
        answer = await port.post("/dead-letters/retry", json={**wanted, "dry_run": True})
        assert answer.json()[0]["outcome"] == "would-be-retried"
        answer = await port.post("/dead-letters/retry", json={**wanted, "from_log": True, "reason": "spoilt"})
        assert (answer.status_code, answer.json()[0]["outcome"]) == (200, "retried")
        await world.table_shows(events[0].product_id, 2)
        for path, body, told in (
            ("/dead-letters/retry", {"projection": "product_view"}, "choose dead letters"),
            ("/dead-letters/discard", {**wanted}, "a reason is required"),
            ("/dead-letters/retry", {"projection": "nothing", "all": True}, "no such projection"),
            ("/projections/pause", {"projection": "product_view"}, "a reason is required"),
            ("/projections/pause", {"surprise": 1}, "surprise"),
        ):
            answer = await port.post(path, json=body)
            assert answer.status_code == 400
            assert answer.headers["content-type"] == "application/problem+json"
            assert told in answer.json()["detail"]
        for query in ("product=nonsense", "product=%7B{id}%7D", "class=%ff", "projection=a&projection=b"):
            wrong = await port.get("/dead-letters?" + query.format(id=dead_letter["product_id"]))
            assert wrong.status_code == 400, query
        assert (
            await port.get(f"/dead-letters?product={dead_letter['product_id'].upper()}")
        ).status_code == 200
        for number in ("1_0", "%2B5", "%205", "1.0"):
            assert (await port.get(f"/dead-letters/records?letter={number}")).status_code == 400
        pause = b'{"projection": "product_view", "reason": "a", "reason": "b"}'
        answer = await port.post("/projections/pause", content=pause)
        assert (answer.status_code, "/reason" in answer.json()["detail"]) == (400, True)
        answer = await port.post("/projections/pause", content=b"[" * 5000)
        assert (answer.status_code, "recursion" in answer.text) == (400, False)
        for headers in ({"content-encoding": "gzip"}, {"content-type": "application/json; charset=utf-16"}):
            assert (await port.post("/projections/pause", content=pause, headers=headers)).status_code == 415
        assert (await port.get("/dead-letters/retry")).status_code == 405
        answer = await port.post("/projections/pause", json={"projection": "product_view", "reason": "tea"})
        assert answer.status_code == 200
        await eventually(lambda: _metric(world, 'projection_paused{projection="product_view"} 1.0'))
        entry = (await port.get("/audit?limit=1")).json()
        (paused,) = entry["items"]
        assert (paused["actor"], paused["action"], paused["reason"]) == ("operations port", "pause", "tea")
        older = (await port.get(f"/audit?cursor={entry['next_cursor']}&projection=product_view")).json()
        assert [one["action"] for one in older["items"]] == ["retry"]
        assert older["next_cursor"] is None
        for query in ("limit=0", "limit=1001", "cursor=x", "since=yesterday", "projection=nothing", "who=me"):
            assert (await port.get(f"/audit?{query}")).status_code == 400, query
        await port.post("/projections/resume", json={"projection": "product_view"})
        await eventually(lambda: _metric(world, 'projection_paused{projection="product_view"} 0.0'))
