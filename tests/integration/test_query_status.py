"""`GET /v1/status`: what the tables tell of each projection, and how old that may be."""

from collections.abc import AsyncIterator
from typing import Any, TypeAlias

import asyncpg
import pytest
import pytest_asyncio

from tests.integration.event_store_world import insert_events
from tests.integration.query_world import (
    LOG_ID,
    TOPIC,
    World,
    installation,
    product,
    shared_installation,
    world,
)
from tests.past_events import created, past_events, priced
from tests.servers import DatabaseDsns

__all__ = ["shared_installation", "world"]


MISSING = {
    "engine": "embedded",
    "state": "missing",
    "positions": {},
    "lag_states": None,
    "behind_seconds": None,
    "is_rebuilding": True,
}
"""The index of a process whose feed does not run."""


async def measure(
    world: World, projection: str, *, seconds_ago: float = 0, trouble: str | None = None, partitions: int = 12
) -> None:
    """As its consumers tell it: the lag of partition n is n events and n seconds."""
    for partition in range(partitions):
        await world.database.execute(
            "INSERT INTO views.projection_lag VALUES ($1, $2, $3::int, $4, 1, $3::int, $5, $6,"
            " clock_timestamp() - make_interval(secs => $7))"
            " ON CONFLICT (projection, topic, partition) DO UPDATE"
            " SET trouble = EXCLUDED.trouble, measured_at = EXCLUDED.measured_at",
            projection, TOPIC, partition, 40 + partition, float(partition), trouble, seconds_ago,
        )  # fmt: skip


async def status(world: World, projection: str) -> dict[str, Any]:
    answer = await world.served.get("/v1/status")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    found: dict[str, Any] = next(
        one for one in answer.json()["projections"] if one["projection"] == projection
    )
    return found


async def test_a_running_projection_is_told_with_its_position_and_its_lag(world: World) -> None:
    await world.database.execute(
        "INSERT INTO views.projection_checkpoint VALUES ('product_view', $1, 0, 1, 99, $2)", TOPIC, LOG_ID
    )
    await measure(world, "product_view")
    found = await status(world, "product_view")
    assert found.pop("updated_at") is not None
    assert found.pop("measured_at") is not None
    assert found.pop("reported_seconds_ago") >= 0.0
    found.pop("events_per_second")
    assert found == {
        "projection": "product_view", "state": "running", "position": 99, "lag_events": 66,
        "lag_seconds": 11.0, "partitions": 12, "partitions_in_trouble": 0, "parked_products": 0,
        "parked_events": 0,
    }  # fmt: skip


async def test_a_projection_without_checkpoints_is_told_as_its_consumers_see_it(world: World) -> None:
    await measure(world, "product_cache")
    found = await status(world, "product_cache")
    assert (found["state"], found["position"], found["updated_at"]) == ("running", 51, None)


async def test_a_lag_of_a_while_ago_is_not_told_as_if_it_were_of_now(world: World) -> None:
    await measure(world, "product_view", seconds_ago=60)
    found = await status(world, "product_view")
    assert (found["state"], found["lag_events"], found["lag_seconds"], found["partitions"]) == (
        "unknown", None, None, 0,
    )  # fmt: skip
    assert found["measured_at"] is not None
    assert found["reported_seconds_ago"] >= 60.0
    await measure(world, "product_view", partitions=11)
    found = await status(world, "product_view")
    assert (found["state"], found["lag_events"], found["partitions"]) == ("unknown", None, 11)


@pytest.mark.parametrize(
    ("trouble", "state"), [("stopped: another log", "stopped"), ("Unavailable: read model", "waiting")]
)
async def test_a_projection_that_does_not_go_on_says_so_but_not_why(
    world: World, trouble: str, state: str
) -> None:
    await measure(world, "product_view")
    await measure(world, "product_view", trouble=trouble, partitions=2)
    found = await status(world, "product_view")
    assert (found["state"], found["partitions_in_trouble"]) == (state, 2)
    assert trouble not in str(found)


async def test_a_pause_is_told_whether_or_not_anybody_measures(world: World) -> None:
    await world.database.execute("INSERT INTO views.projection_control VALUES ('inventory', true, 'tea')")
    assert (await status(world, "inventory"))["state"] == "paused"
    await measure(world, "inventory", trouble="paused: tea")
    assert (await status(world, "inventory"))["state"] == "paused"
    await world.database.execute("UPDATE views.projection_control SET is_paused = false")
    await measure(world, "inventory")
    assert (await status(world, "inventory"))["state"] == "running"


async def test_what_is_parked_is_counted_with_records_that_belong_to_no_product(world: World) -> None:
    insert = (
        "INSERT INTO views.parked_event (projection, product_id, topic, partition, record_offset,"
        " record_timestamp, header_names, header_values, error_class, cause)"
        " VALUES ('analytics', $1, $2, 0, $3, 0, '{}', '{}', 'undecodable', 'x')"
    )
    await world.database.execute(insert, LOG_ID, TOPIC, 1)
    await world.database.execute(insert, LOG_ID, TOPIC, 2)
    await world.database.execute(insert, None, TOPIC, 3)
    await world.database.execute(
        "INSERT INTO views.parked_product"
        " (projection, product_id, topic, partition, error_class, cause, events)"
        " VALUES ('analytics', $1, $2, 0, 'undecodable', 'x', 2)",
        LOG_ID, TOPIC,
    )  # fmt: skip
    found = await status(world, "analytics")
    assert (found["parked_products"], found["parked_events"], found["state"]) == (1, 3, "unknown")


async def test_another_installations_measurements_are_not_ours(world: World) -> None:
    await world.database.execute(
        "INSERT INTO views.projection_lag"
        " VALUES ('product_view', 'other-products-events', 0, 1, 1, 5, 5, NULL)"
    )
    told = (await world.served.get("/v1/status")).json()
    assert (told["projections"], told["search"], told["rebuilds"]) == ([], MISSING, [])


async def test_status_takes_no_parameters(world: World) -> None:
    answer = await world.served.get("/v1/status?projection=x")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/projection")


Owner: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@pytest_asyncio.fixture
async def log(event_store_of_module: DatabaseDsns) -> AsyncIterator[Owner]:
    """The owner's hands in the event store, with a relay that has published all until now."""
    owner = await asyncpg.connect(event_store_of_module.owner)
    await publish(owner)
    yield owner
    await owner.close()


async def publish(log: Owner) -> None:
    """As the relay does it."""
    await log.execute(
        "INSERT INTO catalogue.relay_cursor VALUES"
        " ('test', (SELECT coalesce(max(position), 0) FROM catalogue.events))"
        " ON CONFLICT (relay) DO UPDATE SET log_position = excluded.log_position, updated_at = now()"
    )


async def told(world: World) -> dict[str, Any]:
    answer = await world.served.get("/v1/status")
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def test_the_log_and_what_its_relay_has_not_published_are_told(world: World, log: Owner) -> None:
    first, *events = past_events(created(), priced("8.00"), priced("9.00"), priced("10.00"))
    await insert_events(log, [first])
    await publish(log)
    before = await told(world)
    assert before["relay"]["lag_events"] == 0
    assert before["relay"]["lag_seconds"] == 0
    await insert_events(log, events)
    after = await told(world)
    assert after["measured_at"] > before["measured_at"]
    assert after["log"]["log_id"] == str(await log.fetchval("SELECT log_id FROM catalogue.event_log"))
    assert after["log"]["position"] == events[-1].log_position
    relay = after["relay"]
    assert (relay["position"], relay["lag_events"]) == (before["relay"]["position"], 3)
    assert relay["lag_seconds"] > 0
    await publish(log)
    relay = (await told(world))["relay"]
    assert (relay["position"], relay["lag_events"]) == (events[-1].log_position, 0)


async def test_a_relay_runs_while_a_session_has_its_lock(world: World, log: Owner) -> None:
    assert (await told(world))["relay"]["state"] == "stopped"
    await log.execute("SELECT pg_advisory_lock(7281044, 3)")
    assert (await told(world))["relay"]["state"] == "running"
    await log.execute("SELECT pg_advisory_unlock(7281044, 3)")
    assert (await told(world))["relay"]["state"] == "stopped"


async def test_a_rebuild_is_told_as_far_as_it_is(world: World) -> None:
    await world.database.execute(
        "INSERT INTO views.rebuild (projection, phase, log_id, target_position, slices, made_by, events_done,"
        " started_at, changed_at) VALUES ('product_view', 'loading', $1, 1000, 8, '1', 500,"
        " clock_timestamp() - interval '10 s', clock_timestamp())",
        LOG_ID,
    )
    (rebuild,) = (await told(world))["rebuilds"]
    assert rebuild.pop("started_at") < rebuild.pop("changed_at")
    assert 0 < rebuild.pop("seconds_left") <= 10
    assert rebuild == {
        "projection": "product_view", "state": "loading", "done_events": 500, "total_events": 1000,
    }  # fmt: skip


async def test_the_ratio_of_cache_hits_is_of_this_process(world: World) -> None:
    cached = product()
    await told(world)
    await world.cache(cached)
    for _ in range(4):
        assert (await world.served.get(f"/v1/products/{cached.id}")).status_code == 200
    ratio = (await told(world))["cache"]["hit_ratio"]
    assert ratio is not None
    assert 0 < ratio <= 1


async def test_samples_of_the_status_are_kept_in_the_order_of_time(world: World, log: Owner) -> None:
    await measure(world, "product_view")
    history = next(one for one in world.api.measurements if one.name == "status history")
    await history.take()
    (event,) = past_events(created())
    await insert_events(log, [event])
    await history.take()
    answer = await world.served.get("/v1/status/history")
    for coding, wanted in (("gzip", "gzip"), ("zstd", "zstd"), ("identity;q=0, br", None)):
        same = await world.served.get("/v1/status/history", headers={"accept-encoding": coding})
        assert (same.headers.get("content-encoding"), same.json()) == (wanted, answer.json())
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    body = answer.json()
    assert body["interval_seconds"] == 5
    before, after = body["samples"][-2:]
    assert before["at"] < after["at"]
    assert after["log_position"] == event.log_position > before["log_position"]
    assert after["relay_position"] == before["relay_position"]
    assert after["projections"]["product_view"] == {"position": 51, "lag_events": 66, "lag_seconds": 11.0}


async def test_viewers_share_a_status_for_as_long_as_is_set(
    read_model_of_module: DatabaseDsns,
    event_store_of_module: DatabaseDsns,
    redis_url_of_module: str,
    world: World,
) -> None:
    log = event_store_of_module.log_reader
    async with (
        installation(
            read_model_of_module, redis_url_of_module, event_store_read_dsn=log, status_age_seconds_max=600
        ) as own,
        own.world() as shared,
    ):
        first = await told(shared)
        await measure(world, "product_view")
        assert await told(shared) == first
        assert await told(world) != first


async def test_without_the_event_store_the_rest_of_the_status_is_told(
    read_model_of_module: DatabaseDsns, redis_url_of_module: str, world: World
) -> None:
    await measure(world, "product_view")
    nobody = "postgresql://catalogue_log_reader@127.0.0.1:1/event_store"
    async with (
        installation(read_model_of_module, redis_url_of_module, event_store_read_dsn=nobody) as own,
        own.world() as alone,
    ):
        status = await told(alone)
    assert status["log"] is None
    assert status["relay"] == {"state": "unknown", "position": None, "lag_events": None, "lag_seconds": None}
    assert [one["state"] for one in status["projections"]] == ["running"]
