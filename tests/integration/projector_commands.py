"""The projector's commands as an operator runs them: real processes on the servers of a test's world."""

import asyncio
import json
import os
import sys
from typing import Any

from shared.contract.recorded_event import RecordedEvent
from shared.kafka.cloud_event import record_headers
from tests.integration.projector_world import World


async def command(world: World, *arguments: str, code: int = 0, **environment: str) -> str:
    """What `python -m projector …` prints in all; the exit code must be this one."""
    return "".join(await run(world, *arguments, code=code, **environment))


async def command_json(world: World, *arguments: str, code: int = 0) -> Any:
    """The one JSON document that it prints; what it says meanwhile goes elsewhere."""
    return json.loads((await run(world, *arguments, "--json", code=code))[0])


async def run(world: World, *arguments: str, code: int = 0, **environment: str) -> tuple[str, str]:
    """Standard output and error."""
    process = await start(world, *arguments, **environment)
    output, errors = await process.communicate()
    assert process.returncode == code, (output + errors).decode()
    return output.decode(), errors.decode()


async def start(world: World, *arguments: str, **environment: str) -> asyncio.subprocess.Process:
    """The command as a process, on the same servers."""
    settings = {
        name.upper(): str(value)
        for name, value in world.settings.model_dump().items()
        if value != type(world.settings).model_fields[name].default
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "projector", *arguments,
        env={**os.environ, **settings, **environment},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def letters(world: World, *more: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await command_json(world, "dead-letters", "list", *more)
    return found


async def poison(world: World, event: RecordedEvent) -> None:
    headers = record_headers(event, str(world.log_id).encode())
    await world.publish_raw(str(event.product_id).encode(), b"{", headers)
