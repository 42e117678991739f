"""The import command against a running system, and what readers see afterwards."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from command_api.command_line import command_parser
from command_api.importer.cli import import_file
from tests.command_line import run_in_process
from tests.end_to_end.evidence import must_be_consistent
from tests.end_to_end.system import REPOSITORY, System

DATA = REPOSITORY / "tests" / "data"


async def run_import(system: System, file: Path) -> tuple[int, dict[str, Any]]:
    """(exit code, summary), in the test's process; the address comes from COMMAND_PORT as everywhere."""
    ended = await run_in_process(
        system.environment(),
        lambda: command_parser().parse_args(["import", "--json", str(file)]),
        import_file,
    )
    assert ended.errors == ""
    return ended.code, json.loads(ended.output)


async def run_import_process(system: System, file: Path) -> tuple[int, dict[str, Any]]:
    """Run it in a process of its own, as an operator does."""
    code, said, complained = await import_process("--json", str(file), **system.environment())
    assert complained == b""
    return code, json.loads(said)


async def import_process(*arguments: str, **environment: str) -> tuple[int, bytes, bytes]:
    """Its exit code, and all that it printed on standard output and error."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "command_api", "import", *arguments,
        cwd=REPOSITORY, env={**os.environ, **environment},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    said, complained = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said, complained


async def products_by_slug(system: System, since_position: int) -> dict[str, dict[str, Any]]:
    """Every live product as readers see it, when the system is at rest."""
    evidence = await must_be_consistent(system, since_position=since_position)
    items = map(json.loads, evidence.listed)
    return {item["slug"]: item for item in items}
