"""What operators are told of the projections, whatever is away; and that readers are told the same."""

import json
import os
import re
import subprocess
import sys

import pytest

from projector.operators.command_line.commands import operate, read_command
from projector.operators.status import ProjectionStatus, Status, read_status
from projector.projections import default_projections
from query_api.status.postgres.projection_states import PostgresProjectionStates
from query_api.status.status import status_of
from shared.contract.recorded_event import RecordedEvent
from shared.kafka.cloud_event import record_headers
from shared.postgres.pool import create_pool
from tests.command_line import run_in_process
from tests.eventually import eventually
from tests.integration.projector_commands import command
from tests.integration.projector_world import PARTITIONS, World, product_id_in, world
from tests.unit.projector.histories import created, history, priced

__all__ = ["world"]
pytestmark = pytest.mark.servers
NOWHERE = {
    "kafka": {"kafka_bootstrap_servers": "127.0.0.1:1"},
    "read model": {"read_model_dsn": "postgresql://catalogue_projector@127.0.0.1:1/read_model"},
    "event store": {"event_store_read_dsn": "postgresql://catalogue_log_reader@127.0.0.1:1/event_store"},
}


async def told(world: World, name: str) -> ProjectionStatus:
    status = await read_status(world.settings)
    return next(one for one in status.projections if one.projection == name)


async def shown_to_readers(world: World) -> dict[str, str]:
    """Projection -> its state, as the query API answers it."""
    pool = await create_pool(
        world.settings.read_model_dsn.read(),
        application_name="test", size_max=1, statement_timeout_seconds=5, connect_timeout_seconds=5,
    )  # fmt: skip
    states = PostgresProjectionStates(pool, topic=world.topic, seconds_max=5)
    found = [status_of(state, PARTITIONS) for state in await states.states()]
    pool.terminate()
    return {one.state.projection: one.condition for one in found}


async def has_state(world: World, name: str, state: str) -> ProjectionStatus:
    one = await told(world, name)
    assert one.state == state, one
    assert (await shown_to_readers(world))[name] == state
    return one


async def test_every_projection_is_told_of_while_it_runs_and_is_unknown_afterwards(world: World) -> None:
    events = history(product_id_in(3), created(), priced("2.00"), first_position=1)
    names = [one.name for one in default_projections(world.settings)]
    async with world.projecting(*names):
        await world.happen(events)
        for name in names:
            one = await eventually(lambda name=name: has_state(world, name, "running"))
            assert (one.parked_products, one.parked_events, one.reason) == (0, 0, None)

        async def all_there() -> Status:
            status = await read_status(world.settings)
            assert [one.lag_events for one in status.projections] == [0] * len(names)
            return status

        status = await eventually(all_there)
    assert status.problems == []
    assert {one.projection for one in status.partitions} == set(names)
    third = [one for one in status.partitions if one.partition == 3]
    assert {(one.next_offset, one.lag_events, one.trouble) for one in third} == {(2, 0, None)}
    await world.views.execute(
        "UPDATE views.projection_lag SET measured_at = measured_at - interval '1 minute'"
    )
    for name in names:
        one = await has_state(world, name, "unknown")
        assert one.reason == f"{PARTITIONS} of {PARTITIONS} partitions have not reported for 5 s"
        assert one.lag_events == 0


async def test_a_pause_a_stop_and_what_is_parked_are_told(world: World) -> None:
    events = history(product_id_in(3), created(), priced("2.00"))
    await world.append(events)
    async with world.projecting("product_view", "category_view", "analytics"):
        await world.publish(events[:1])
        await _poison(world, events[1])
        await command(world, "pause", "category_view", "--reason", "tea")
        one = await eventually(lambda: has_state(world, "category_view", "paused"))
        assert one.reason == "tea"

        async def is_parked() -> None:
            one = await told(world, "product_view")
            assert (one.parked_products, one.parked_events) == (1, 1)

        await eventually(is_parked)
        await world.publish(history(product_id_in(3), created()), log_id=events[0].product_id)
        one = await eventually(lambda: has_state(world, "analytics", "stopped"))
        assert one.reason is not None
        assert "another log" in one.reason or str(events[0].product_id) in one.reason
        output = await command(world, "status")
        assert ("analytics      3" in output, "analytics      2" in output) == (True, False), output
        assert "analytics      2" in await command(world, "status", "--partitions")
        for line in ("category_view", "paused", "stopped: ", "tea", "newest position in the log"):
            assert line in output
        shown = json.loads(await command(world, "status", "--json"))
        states = {one["projection"]: one["state"] for one in shown["projections"]}
        assert (states["category_view"], states["analytics"]) == ("paused", "stopped")


async def _poison(world: World, event: RecordedEvent) -> None:
    headers = record_headers(event, str(world.log_id).encode())
    await world.publish_raw(str(event.product_id).encode(), b"{", headers)


async def test_a_partition_that_stopped_at_a_hole_is_told_as_stopped_and_one_that_waits_is_not(
    world: World,
) -> None:
    holed = history(product_id_in(3), created(), priced("2.00"), priced("3.00"))
    await world.append([holed[0], holed[2]])
    async with world.projecting("product_view"):
        await world.publish([holed[0], holed[2]])
        one = await eventually(lambda: has_state(world, "product_view", "stopped"))
        assert "the log lacks version 2" in str(one.reason)
    await world.views.execute(
        "UPDATE views.projection_lag SET measured_at = clock_timestamp(), trouble = 'x'"
    )
    assert (await told(world, "product_view")).state == "waiting"


def test_a_reader_who_has_seen_enough_is_no_error() -> None:
    nowhere = {name.upper(): value for away in NOWHERE.values() for name, value in away.items()}
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "projector", "status"],
        check=False, env={**os.environ, **nowhere}, stdout=writing, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    os.close(writing)
    assert (done.returncode, "BrokenPipe" in done.stderr) == (141, False), done.stderr


@pytest.mark.parametrize("away", NOWHERE)
async def test_what_is_away_leaves_its_own_part_unknown_and_no_other(world: World, away: str) -> None:
    events = history(product_id_in(3), created(), first_position=1)
    async with world.projecting("product_view"):
        await world.happen(events)
        await eventually(lambda: world.table_shows(events[0].product_id, 1))
        await eventually(lambda: has_state(world, "product_view", "running"))
    world.settings = world.settings.model_copy(update=NOWHERE[away])
    status = await read_status(world.settings)
    assert len(status.problems) == 1
    assert status.problems[0].startswith(away)
    assert status.newest_log_position == (None if away == "event store" else 1)
    one = next(one for one in status.projections if one.projection == "product_view")
    (third,) = [one for one in status.partitions if (one.projection, one.partition) == ("product_view", 3)]
    assert third.next_offset == 1
    assert third.lag_events == one.lag_events == 0
    assert third.lag_source == ("log" if away == "kafka" else "kafka")
    assert one.parked_products == (None if away == "read model" else 0)
    assert third.log_position == (None if away == "read model" else 1)
    if away == "read model":
        assert one.state == "unknown"
    assert f"unknown: {away}" in await command(world, "status", code=1)


async def test_a_command_without_its_servers_says_why_in_plain_words() -> None:
    nowhere = {name.upper(): str(value) for away in NOWHERE.values() for name, value in away.items()}
    for arguments in (("status",), ("pause", "inventory", "--reason", "x"), ("dead-letters", "list")):
        ended = await run_in_process(
            nowhere, lambda given=arguments: read_command(given), lambda wanted, to: operate(*wanted, to)
        )
        assert ended.code == 1
        said = ended.output + ended.errors
        assert "None" not in said
        assert not re.search(r"(\w+): \1:", said), said
        if arguments == ("status",):
            assert "newest position in the log: unknown" in said
        else:
            assert ended.errors.startswith("read model: ")
