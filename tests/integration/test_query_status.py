"""`GET /v1/status`: what the tables tell of each projection, and how old that may be."""

from typing import Any

import pytest

from tests.integration.query_world import LOG_ID, TOPIC, World, shared_installation, world

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
    assert (await world.served.get("/v1/status")).json() == {"projections": [], "search": MISSING}


async def test_status_takes_no_parameters(world: World) -> None:
    answer = await world.served.get("/v1/status?projection=x")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/projection")
