"""The projector's commands as an operator runs them, inside the test's process.

The parser, the settings and the exit codes are the real ones; only the start is saved. A command that a test
kills, stops by a signal or cuts off from its terminal is a process: `start`.
"""

import asyncio
import io
import json
import os
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from typing import Any, NamedTuple
from unittest.mock import patch

from projector.operators.command_line.commands import RUN, operate, read_command
from shared.ops.terminal import Terminal
from tests.integration.projector_process import environment_of
from tests.integration.test_projector_world import World


class Outcome(NamedTuple):
    """What the command left behind."""

    code: int
    output: str
    errors: str


async def command(world: World, *arguments: str, code: int = 0, **environment: str) -> str:
    """What `python -m projector …` prints in all; the exit code must be this one."""
    outcome = await run(world, *arguments, code=code, **environment)
    return outcome.output + outcome.errors


async def command_json(world: World, *arguments: str, code: int = 0) -> Any:
    """The one JSON document that it prints; what it says meanwhile goes elsewhere."""
    return json.loads((await run(world, *arguments, "--json", code=code)).output)


async def run(world: World, *arguments: str, code: int = 0, **environment: str) -> Outcome:
    """On the world's servers, with other settings where the environment says so."""
    outcome = await operator({**environment_of(world.settings), **environment}, *arguments)
    assert outcome.code == code, outcome.output + outcome.errors
    return outcome


async def operator(environment: Mapping[str, str], *arguments: str) -> Outcome:
    """One command line from its words to its exit code."""
    output, errors = io.StringIO(), io.StringIO()
    try:
        # Nothing is awaited here, so nobody else sees this environment or writes to these streams.
        with patch.dict(os.environ, environment), redirect_stdout(output), redirect_stderr(errors):
            given, settings = read_command(arguments)
    except SystemExit as refused:
        return Outcome(int(refused.code or 0), output.getvalue(), errors.getvalue())
    assert given.command != RUN, "a projector that runs is no operator's command"
    code = await operate(given, settings, Terminal(output, errors))
    return Outcome(code, output.getvalue(), errors.getvalue())


async def start(world: World, *arguments: str, **environment: str) -> asyncio.subprocess.Process:
    """The command as a process, on the same servers."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "projector", *arguments,
        env={**os.environ, **environment_of(world.settings), **environment},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def letters(world: World, *more: str) -> list[dict[str, Any]]:
    """The dead letters, as the command lists them."""
    found: list[dict[str, Any]] = await command_json(world, "dead-letters", "list", *more)
    return found
