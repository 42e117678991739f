"""Schemathesis as a client that reads an OpenAPI document and tries what it allows, and what it forbids."""

import asyncio
import sys
from pathlib import Path


async def must_find_no_fault(base_url: str, folder: Path, settings: str, *options: str) -> None:
    """`settings` are those of its configuration file. A failure ends with what it has found."""
    config = folder / "schemathesis.toml"
    config.write_text(settings)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run",
        f"{base_url}/openapi.json", "--no-color", "--seed", "1", "--generation-database", "none", *options,
        cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()[-6000:]
