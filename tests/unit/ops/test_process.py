"""A process ends when it is told to, within its limit, and its exit code tells how (real signals)."""

import asyncio
import json
import os
import signal
from typing import Any

import pytest

from tests.unit.ops.started_mains import StartedMain, start_main

PROGRAM = """
import asyncio, sys, threading
from shared.ops.logs import configure_logs, get_logger
from shared.ops.process import run
from shared.ops.settings import ProcessSettings

configure_logs("test", ProcessSettings(_env_file=None), sys.stderr)

async def obeys(stop):
    print("ready", flush=True)
    await stop.wait()

async def answers_3(stop):
    print("ready", flush=True)
    await stop.wait()
    return 3

async def hangs(stop):
    print("ready", flush=True)
    await asyncio.Event().wait()

async def ignores_cancellation(stop):
    print("ready", flush=True)
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass

async def talks(stop):
    for number in range(4000):
        get_logger("test").info("line", number=number, text="x" * (6000 if number % 50 == 0 else 200))
    print("ready", flush=True)
    await stop.wait()

async def leaves_a_thread(stop):
    print("ready", flush=True)
    asyncio.get_running_loop().run_in_executor(None, threading.Event().wait)
    await stop.wait()
    print("done")
    return 3

async def fails(stop):
    print("ready", flush=True)
    raise RuntimeError("the disk is on fire")

async def exits_2(stop):
    print("ready", flush=True)
    raise SystemExit(2)

async def stops_and_hangs(stop):
    print("ready", flush=True)
    await stop.wait()
    print("stopping", flush=True)
    await asyncio.Event().wait()

sys.exit(run("test", globals()[sys.argv[1]], shutdown_seconds_max=float(sys.argv[2])))
"""


async def start(
    main: str, shutdown_seconds_max: float = 60, *, log: int = asyncio.subprocess.PIPE
) -> StartedMain:
    return await start_main(PROGRAM, main, str(shutdown_seconds_max), errors=log)


async def end(started: StartedMain) -> tuple[int | None, list[dict[str, Any]]]:
    """Exit code and log lines."""
    code, written = await started.ended()
    return code, [json.loads(line) for line in written.splitlines()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_the_process_in_order(number: signal.Signals) -> None:
    started = await start("obeys")
    started.process.send_signal(number)
    code, lines = await end(started)
    assert code == 0
    assert [(line["event"], line["signal"]) for line in lines] == [("stopping", number.name)]


async def test_the_exit_code_is_the_one_that_main_returns() -> None:
    started = await start("answers_3")
    started.process.terminate()
    assert (await end(started))[0] == 3


@pytest.mark.parametrize("main", ["hangs", "ignores_cancellation"])
async def test_a_main_that_overruns_its_shutdown_is_ended_with_a_log_line(main: str) -> None:
    started = await start(main, shutdown_seconds_max=0.01)
    started.process.terminate()
    code, lines = await end(started)
    assert code == 1
    assert lines[1]["level"] == "critical"
    assert lines[1]["event"] == "shutdown took too long, cancelling"


async def test_a_thread_that_nobody_can_end_holds_up_the_end_for_a_bounded_time_only() -> None:
    started = await start("leaves_a_thread")
    started.process.terminate()
    await started.said("done")
    code, lines = await end(started)
    assert code == 3
    assert [line["event"] for line in lines] == ["stopping", "threads do not end, exiting without them"]


async def test_a_process_whose_log_nobody_reads_goes_on_and_ends_when_it_is_told_to() -> None:
    read_end, write_end = os.pipe()
    with open(read_end, "rb") as log:
        try:
            async with asyncio.timeout(60):
                started = await start("talks", log=write_end)
                started.process.terminate()
                assert await started.process.wait() == 0
        finally:
            os.close(write_end)
        numbers = [json.loads(line)["number"] for line in log.read().splitlines()[:-1]]
    assert 0 < len(numbers) < 4000
    assert numbers == sorted(numbers)


async def test_a_second_signal_ends_the_process_at_once() -> None:
    started = await start("stops_and_hangs")
    started.process.terminate()
    await started.said("stopping")
    started.process.terminate()
    code, lines = await end(started)
    assert code == 128 + signal.SIGTERM
    assert lines[-1]["event"] == "second signal, exiting at once"


async def test_an_exception_is_logged_with_its_traceback_and_exits_1() -> None:
    code, lines = await end(await start("fails"))
    assert code == 1
    assert lines[-1]["level"] == "critical"
    assert lines[-1]["exception"].endswith("RuntimeError: the disk is on fire")


async def test_a_usage_error_keeps_its_own_exit_code() -> None:
    code, _ = await end(await start("exits_2"))
    assert code == 2
