"""The import command against a running system, and what readers see afterwards."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.end_to_end.evidence import must_be_consistent
from tests.end_to_end.system import REPOSITORY, System

DATA = REPOSITORY / "tests" / "data"


async def run_import(system: System, file: Path) -> tuple[int, dict[str, Any]]:
    """(exit code, summary); the address comes from COMMAND_PORT as everywhere."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "command_api", "import", "--json", str(file),
        cwd=REPOSITORY, env={**os.environ, **system.environment()},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    said, complained = await process.communicate()
    assert complained == b""
    assert process.returncode is not None
    return process.returncode, json.loads(said)


async def products_by_slug(system: System, since_position: int) -> dict[str, dict[str, Any]]:
    """What readers see of every live product, once nothing is on its way any more."""
    evidence = await must_be_consistent(system, since_position=since_position)
    items = map(json.loads, evidence.listed)
    return {item["slug"]: item for item in items}
