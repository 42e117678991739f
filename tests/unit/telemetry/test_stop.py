"""A process that is told to stop sends its last spans, and does not wait for a receiver that is away."""

import asyncio
import signal
import socket
import sys
from pathlib import Path

from deploy.local.ports import free_port
from tests.end_to_end.traced import exporting_to, receiving

PROGRAM = """
import os, sys
from shared.ops.process import run
from shared.telemetry.spans import SpanKind
from shared.telemetry.tracing import trace

async def main(stop):
    with trace("request", SpanKind.SERVER):
        pass
    print("ready", flush=True)
    await stop.wait()

sys.exit(run("test", main, shutdown_seconds_max=10))
"""
NEVER_BY_ITSELF = {"OTEL_BSP_SCHEDULE_DELAY": "600000"}
_ENDS_SECONDS_MAX = 60


async def _stopped(environment: dict[str, str]) -> int:
    """The exit code after a SIGTERM."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, env=environment, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(_ENDS_SECONDS_MAX):
        return await process.wait()


async def test_the_last_spans_are_sent_at_the_end(tmp_path: Path) -> None:
    with receiving(tmp_path) as receiver:
        assert await _stopped({**exporting_to(receiver), **NEVER_BY_ITSELF}) == 0
    (summary,) = receiver.store.newest(5)
    assert (summary.name, summary.service) == ("request", "catalogue-test")


async def test_a_receiver_that_is_away_does_not_hold_up_the_end() -> None:
    assert await _stopped(_sending_to(free_port())) == 0


async def test_a_receiver_that_hangs_does_not_hold_up_the_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert await _stopped(_sending_to(silent.getsockname()[1])) == 0


def _sending_to(port: int) -> dict[str, str]:
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}", **NEVER_BY_ITSELF}
