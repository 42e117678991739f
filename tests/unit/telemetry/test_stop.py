"""A process that is told to stop sends its last spans, and does not wait for a receiver that is away."""

import asyncio
import signal
import socket
import sys
from pathlib import Path

from deploy.local.ports import free_port
from shared.telemetry.process import FLUSH_SECONDS_MAX
from tests.end_to_end.traced import exporting_to, receiving

PROGRAM = """
import sys
from shared.ops.process import run
from shared.telemetry import process
from shared.telemetry.spans import SpanKind
from shared.telemetry.tracing import trace

process.FLUSH_SECONDS_MAX = float(sys.argv[1])

async def main(stop):
    with trace("request", SpanKind.SERVER):
        pass
    print("ready", flush=True)
    await stop.wait()

sys.exit(run("test", main, shutdown_seconds_max=10))
"""
NEVER_BY_ITSELF = {"OTEL_BSP_SCHEDULE_DELAY": "600000"}
GIVEN_UP = "the last spans were not sent within 2 s"
_ENDS_SECONDS_MAX = 60


async def _stopped(
    environment: dict[str, str], flush_seconds_max: float = FLUSH_SECONDS_MAX
) -> tuple[int | None, str]:
    """The exit code after a SIGTERM, and what the process said."""
    program = (sys.executable, "-c", PROGRAM, str(flush_seconds_max))
    process = await asyncio.create_subprocess_exec(
        *program, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    if await process.stdout.readline() != b"ready\n":
        raise AssertionError((await process.stderr.read()).decode())
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(_ENDS_SECONDS_MAX):
        _, said = await process.communicate()
    return process.returncode, said.decode()


async def test_the_last_spans_are_sent_at_the_end(tmp_path: Path) -> None:
    with receiving(tmp_path) as receiver:
        # More time than a process has, so that a busy machine does not decide.
        code, said = await _stopped({**exporting_to(receiver), **NEVER_BY_ITSELF}, _ENDS_SECONDS_MAX / 2)
    assert code == 0, said
    assert [(one.name, one.service) for one in receiver.store.newest(5)] == [("request", "test")]


async def test_a_receiver_that_is_away_does_not_hold_up_the_end() -> None:
    code, said = await _stopped(_sending_to(free_port()))
    assert code == 0, said
    assert GIVEN_UP in said, "it has tried again for as long as the exporter may"


async def test_a_receiver_that_hangs_does_not_hold_up_the_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        code, said = await _stopped(_sending_to(silent.getsockname()[1]))
    assert code == 0, said
    assert GIVEN_UP in said, "it has waited for an answer"


def _sending_to(port: int) -> dict[str, str]:
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
        "OTEL_EXPORTER_OTLP_TIMEOUT": str(_ENDS_SECONDS_MAX),
        **NEVER_BY_ITSELF,
    }
