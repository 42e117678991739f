"""The projector's commands as an operator runs them, inside the test's process.

The parser, the settings and the exit codes are the real ones; only the start is saved. A command that a test
kills, stops by a signal or cuts off from its terminal is a process: `start`.
"""

import asyncio
import json
import os
import sys
from typing import Any

from projector.operators.command_line.commands import operate, read_command
from shared.contract.recorded_event import RecordedEvent
from shared.kafka.cloud_event import record_headers
from tests.command_line import Ended, run_in_process
from tests.forked_process import be_ready_to_fork
from tests.integration.projector_environment import environment_of
from tests.integration.projector_world import World


async def command(world: World, *arguments: str, code: int = 0, **environment: str) -> str:
    """What `python -m projector …` prints in all; the exit code must be this one."""
    ended = await run(world, *arguments, code=code, **environment)
    return ended.output + ended.errors


async def command_json(world: World, *arguments: str, code: int | None = 0) -> Any:
    """The one JSON document that it prints; what it says meanwhile goes elsewhere."""
    return json.loads((await run(world, *arguments, "--json", code=code)).output)


async def run(world: World, *arguments: str, code: int | None = 0, **environment: str) -> Ended:
    """On the world's servers, with other settings where the environment says so. `code` None: any."""
    if arguments[0] == "rebuild":
        await asyncio.to_thread(be_ready_to_fork)
    ended = await run_in_process(
        {**environment_of(world.settings), **environment},
        lambda: read_command(arguments),
        lambda wanted, terminal: operate(*wanted, terminal),
    )
    assert code in (None, ended.code), ended.output + ended.errors
    return ended


async def start(
    world: World, *arguments: str, output: int = asyncio.subprocess.PIPE, **environment: str
) -> asyncio.subprocess.Process:
    """The command as a process, on the same servers. It leads a group, as in a terminal."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "projector", *arguments,
        env={**os.environ, **environment_of(world.settings), **environment},
        stdout=output, stderr=output, start_new_session=True,
    )  # fmt: skip


async def dead_letters(world: World, *more: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await command_json(world, "dead-letters", "list", *more)
    return found


async def poison(world: World, event: RecordedEvent) -> None:
    headers = record_headers(event, str(world.log_id).encode())
    await world.publish_raw(str(event.product_id).encode(), b"{", headers)
