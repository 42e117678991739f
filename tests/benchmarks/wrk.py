"""wrk, the load generator: one thread, 64 connections, and an error if an answer was not a success."""

import asyncio
import re
from pathlib import Path

from tests.benchmarks.tools import require

CONNECTIONS = 64
_RATE = re.compile(r"Requests/sec:\s+([0-9.]+)")
_FAILED = re.compile(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)")


async def request_rate(
    url: str,
    seconds: float,
    *,
    script: Path | None = None,
    arguments: tuple[str, ...] = (),
    core: int | None = None,
    connections: int = CONNECTIONS,
    token: str | None = None,
) -> float:
    """Requests per second. Raises if any request failed, because a fast error is not a result."""
    wrk = require("wrk", "wrk")
    argv = [*(("taskset", "-c", str(core)) if core is not None else ()), wrk, "-t1", f"-c{connections}"]
    argv += [
        f"-d{max(1, round(seconds))}s",
        *(("-s", str(script)) if script else ()),
        *_with(token),
        url,
        *arguments,
    ]
    process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    output = (await process.communicate())[0].decode()
    rate, failed = _RATE.search(output), _FAILED.search(output)
    if rate is None or failed is not None:
        raise RuntimeError(f"wrk: {failed.group(0) if failed else output[-300:]}")
    return float(rate.group(1))


def _with(token: str | None) -> tuple[str, ...]:
    return () if token is None else ("-H", f"Authorization: Bearer {token}")
