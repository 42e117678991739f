"""Each operator's command as a process prints and answers what it does inside a test's process."""

import asyncio

import pytest

from tests.integration.projector_commands import run, start
from tests.integration.projector_world import World, world

__all__ = ["world"]
pytestmark = pytest.mark.servers
COMMANDS = {
    ("verify", "product_view", "product_cache"): 0,
    ("dead-letters", "list"): 0,
    ("dead-letters", "retry", "--projection", "product_view"): 2,
    ("pause", "inventory", "--reason", "looking"): 0,
    ("resume", "product_view"): 0,
    ("rebuild", "inventory", "--rollback"): 1,
    ("rebuild", "nothing"): 2,
    ("run", "nothing"): 2,
}


async def test_a_process_prints_and_answers_what_the_command_does_without_one(world: World) -> None:
    """All at once: starts take processor time. `status` is started in `test_projector_status.py`."""
    processes = [await start(world, *arguments, COLUMNS="80") for arguments in COMMANDS]
    written = await asyncio.gather(*(process.communicate() for process in processes))
    for (arguments, code), process, (output, errors) in zip(
        COMMANDS.items(), processes, written, strict=True
    ):
        ended = await run(world, *arguments, code=code, COLUMNS="80")
        assert (process.returncode, output.decode(), errors.decode()) == ended, arguments
