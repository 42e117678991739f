"""Each operator's command as a process prints and answers what it does inside a test's process."""

import asyncio

import pytest

from tests.integration.projector_commands import run, start
from tests.integration.projector_world import World, world

__all__ = ["world"]
pytestmark = pytest.mark.servers
COMMANDS = {
    ("verify", "product_view"): 0,
    ("dead-letters", "list"): 0,
    ("pause", "inventory", "--reason", "looking"): 0,
    ("resume", "product_view"): 0,
    ("rebuild", "nothing"): 2,
}


async def test_a_process_prints_and_answers_what_the_command_does_without_one(world: World) -> None:
    """All at once. `status` is started in `test_projector_status.py`, a rebuild in `test_rebuild.py`."""
    processes = [await start(world, *arguments, COLUMNS="80") for arguments in COMMANDS]
    written = await asyncio.gather(*(process.communicate() for process in processes))
    for (arguments, code), process, (output, errors) in zip(
        COMMANDS.items(), processes, written, strict=True
    ):
        ended = await run(world, *arguments, code=code, COLUMNS="80")
        assert (process.returncode, output.decode(), errors.decode()) == ended, arguments
