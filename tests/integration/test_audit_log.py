"""The audit log on servers: what commands leave in it, who may change it, and what projectors log."""

import getpass
import signal
from collections.abc import Mapping
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from tests.eventually import eventually
from tests.integration.projector_commands import command, command_json, start
from tests.integration.projector_world import World, world
from tests.integration.rebuild_world import Writer, writer
from tests.servers import DatabaseDsns
from tests.unit.projector.histories import created

__all__ = ["world", "writer"]
pytestmark = pytest.mark.servers
VIEW = "product_view"
OF_0_1_0 = """
    INSERT INTO views.operator_action (actor, action, projection, product_id, reason, detail)
    VALUES ('ann', 'pause', 'inventory', NULL, 'looking', '')
"""


async def _entries(world: World, *more: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await command_json(world, "audit", *more))["items"]
    return found


async def test_who_paused_and_resumed_and_why_is_listed_the_newest_first(world: World) -> None:
    assert await command(world, "audit") == "no matching operator actions\n"
    await command(world, "pause", "inventory", "--reason", "the warehouse\ncounts", "--actor", "ann")
    await command(world, "resume", "inventory")
    resumed, paused = await _entries(world)
    assert (resumed["actor"], resumed["action"]) == (getpass.getuser(), "resume")
    assert (paused["actor"], paused["action"], paused["result"]) == ("ann", "pause", "done")
    assert (paused["projection"], paused["reason"]) == ("inventory", "the warehouse counts")
    assert await _entries(world, "--actor", "ann", "--since", paused["acted_at"]) == [paused]
    assert await _entries(world, "--before", str(resumed["action_id"])) == [paused]
    table = await command(world, "audit", "--limit", "1")
    assert "resume" in table
    assert f"there are older entries: --before {resumed['action_id']}" in table


async def test_a_misspelt_choice_or_an_empty_reason_is_wrong_usage(world: World) -> None:
    for wrong in (("--since", "yesterday"), ("--limit", "1001"), ("--before", "0"), ("--projection", "x")):
        await command(world, "audit", *wrong, code=2)
    refused = await command(world, "pause", "inventory", "--reason", " ", code=2)
    assert "a reason is required" in refused
    await command(world, "pause", "inventory", "--reason", "x", "--actor", "", code=2)
    assert await _entries(world) == []


async def test_a_rebuild_is_recorded_when_it_starts_and_when_it_ends_well_or_not(world: World) -> None:
    rebuild = ("rebuild", VIEW, "--without-comparison", "--workers", "1")
    await command(world, *rebuild, "--no-switch", "--reason", "changed by hand", "--actor", "ann")
    await command(world, *rebuild, code=1)
    await command(world, *rebuild, "--resume")
    await command(world, "rebuild", VIEW, "--show")
    await command(world, "rebuild", VIEW, "--rollback")
    await command(world, "rebuild", VIEW, "--finish", code=1)
    entries = list(reversed(await _entries(world)))
    assert [(one["action"], one["result"]) for one in entries] == [
        ("rebuild", "started"), ("rebuild", "done"),
        ("rebuild", "started"), ("rebuild", "failed"),
        ("rebuild-resume", "started"), ("rebuild-resume", "done"),
        ("rebuild-rollback", "started"), ("rebuild-rollback", "done"),
        ("rebuild-finish", "started"), ("rebuild-finish", "failed"),
    ]  # fmt: skip
    assert [one["detail"] for one in entries[1::2]] == [
        "rebuilt and ready; --resume switches",
        f"a rebuild of {VIEW} is unfinished (catching-up): resume or cancel it",
        "rebuilt and live",
        "the previous view is live again",
        f"{VIEW} was not switched: there is nothing to finish",
    ]
    assert {(one["actor"], one["reason"]) for one in entries[:2]} == {("ann", "changed by hand")}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_rebuild_that_a_signal_stops_is_recorded_as_stopped(
    world: World, writer: Writer, number: signal.Signals
) -> None:
    await writer.happen(created())
    process = await start(world, "rebuild", VIEW, "--workers", "1", "--actor", "ann")

    async def it_waits_for_the_live_view() -> None:
        assert await world.views.fetchval("SELECT phase FROM views.rebuild") == "catching-up"

    await eventually(it_waits_for_the_live_view)
    process.send_signal(number)
    _, errors = await process.communicate()
    assert process.returncode == 128 + number
    assert errors.decode().endswith(f"stopped; continue with: rebuild {VIEW} --resume\n")
    stopped, started = await _entries(world)
    assert [(one["actor"], one["action"], one["result"]) for one in (started, stopped)] == [
        ("ann", "rebuild", "started"), ("ann", "rebuild", "stopped"),
    ]  # fmt: skip


async def test_a_projector_writes_each_action_to_its_log_whoever_did_it(world: World) -> None:
    with capture_logs() as lines:
        async with world.projecting(VIEW):
            await command(world, "pause", "inventory", "--reason", "the warehouse counts")

            async def logged_and_no_longer_waiting() -> Mapping[str, Any]:
                found = [line for line in lines if line["event"] == "operator action"]
                assert len(found) == 1
                # It leaves the queue after its line is written; a stop in between would keep it there.
                assert await world.views.fetchval("SELECT count(*) FROM views.unlogged_operator_action") == 0
                return found[0]

            line = await eventually(logged_and_no_longer_waiting)
            assert (line["action"], line["projection"], line["result"]) == ("pause", "inventory", "done")
            assert line["reason"] == "the warehouse counts"


async def test_the_projector_may_add_entries_but_not_change_remove_or_antedate_them(
    read_model_dsns: DatabaseDsns,
) -> None:
    connection = await asyncpg.connect(read_model_dsns.projector)
    try:
        await connection.execute(OF_0_1_0)
        for forbidden in (
            "UPDATE views.operator_action SET actor = 'ben'",
            "DELETE FROM views.operator_action",
            "TRUNCATE views.operator_action",
            OF_0_1_0.replace("(actor", "(acted_at, actor").replace("('ann'", "('2020-01-01', 'ann'"),
            OF_0_1_0.replace("(actor", "(operator_action_id, actor")
            .replace("VALUES", "OVERRIDING SYSTEM VALUE VALUES")
            .replace("('ann'", "(7, 'ann'"),
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(forbidden)
        rows = await connection.fetch("SELECT actor, result FROM views.operator_action")
        assert [tuple(row) for row in rows] == [("ann", "done")]
    finally:
        await connection.close()
