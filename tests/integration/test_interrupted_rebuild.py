"""Ctrl-C in a terminal goes to a rebuild and to all that it has started, at any moment."""

import os
import signal
from pathlib import Path

import asyncpg
import pytest

from tests.eventually import eventually
from tests.integration.lock_waits import lock_waits
from tests.integration.projector_commands import command_json, start
from tests.integration.projector_world import World, world
from tests.integration.rebuild_world import Writer, writer
from tests.interrupting import SAID, go_on, paused_import
from tests.unit.projector.histories import created

__all__ = ["world", "writer"]
pytestmark = pytest.mark.servers
VIEW = "product_view"


async def results(world: World) -> list[tuple[str, str, str]]:
    """Of the audit log, the oldest first."""
    items = (await command_json(world, "audit"))["items"]
    return [(one["action"], one["result"], one["detail"]) for one in reversed(items)]


async def test_while_its_workers_are_loaded_it_stops_and_they_say_nothing(
    world: World, writer: Writer, tmp_path: Path
) -> None:
    await writer.happen(created())
    loading = paused_import(tmp_path, "projector.rebuild.worker", program="forkserver")
    process = await start(world, "rebuild", VIEW, "--workers", "2", **loading)
    assert process.stderr is not None
    while (line := await process.stderr.readline()) != f"{SAID}\n".encode():
        assert line, "it ended before its workers were loaded"
    os.killpg(process.pid, signal.SIGINT)
    go_on(tmp_path)
    _, errors = await process.communicate()
    assert errors.decode() == f"stopped; continue with: rebuild {VIEW} --resume\n"
    assert process.returncode == 128 + signal.SIGINT
    assert await results(world) == [("rebuild", "started", ""), ("rebuild", "stopped", "")]


@pytest.mark.parametrize("action", ["--resume", "--cancel", "--finish", "--rollback"])
async def test_before_anything_has_begun_there_is_nothing_to_continue(world: World, action: str) -> None:
    # A role sees what its own sessions wait for.
    watching = await asyncpg.connect(world.settings.read_model_dsn.read())
    async with world.views.transaction():
        await world.views.execute("LOCK TABLE views.operator_action IN ACCESS EXCLUSIVE MODE")
        process = await start(world, "rebuild", VIEW, action)
        await eventually(lambda: lock_waits(watching, 1))
        os.killpg(process.pid, signal.SIGINT)
        _, errors = await process.communicate()
    await watching.close()
    assert (process.returncode, errors.decode()) == (128 + signal.SIGINT, "interrupted\n")
    assert await results(world) == []
