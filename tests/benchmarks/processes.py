"""Starts and stops processes, ours and others, as children of a benchmark."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

import httpx

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 25


@asynccontextmanager
async def running(
    *argv: str, ready_url: str, environment: Mapping[str, str] | None = None, core: int | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Runs a program for the block, which begins when `ready_url` answers below 500. `core` pins it to a
    core.
    """
    pinned = ("taskset", "-c", str(core), *argv) if core is not None else argv
    process = await asyncio.create_subprocess_exec(
        *pinned,
        env={**os.environ, "LOG_LEVEL": "WARNING", **(environment or {})},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL if argv[0] != sys.executable else None,
    )
    try:
        await _wait_until_ready(process, ready_url)
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS_MAX):
                await process.wait()
        except TimeoutError as error:
            process.kill()
            raise RuntimeError(f"{' '.join(argv)} did not end within {STOP_SECONDS_MAX} s") from error


def pin(pid: int | None, core: int) -> None:
    """All threads of a process that runs already."""
    subprocess.run(["taskset", "-apc", str(core), str(pid)], check=True, capture_output=True)


def python(*arguments: str) -> tuple[str, ...]:
    """A command line of this interpreter."""
    return (sys.executable, *arguments)


async def _wait_until_ready(process: asyncio.subprocess.Process, url: str) -> None:
    ends, last = time.monotonic() + START_SECONDS_MAX, "nothing"
    async with httpx.AsyncClient(timeout=30) as client:
        while time.monotonic() < ends:
            if process.returncode is not None:
                raise RuntimeError(f"ended with {process.returncode} before it was ready")
            with suppress(httpx.TransportError):
                answer = await client.get(url)
                if answer.status_code < 500:
                    return
                last = answer.text
            await asyncio.sleep(0.05)
    raise RuntimeError(f"not ready within {START_SECONDS_MAX} s; {url} answers: {last}")
