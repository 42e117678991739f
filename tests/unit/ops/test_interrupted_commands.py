"""Whoever interrupts a command gets one line and the exit code of the signal, never a traceback."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.interrupting import SAID, paused_import
from tests.unit.ops.started_mains import StartedMain, start_main

ROOT = Path(__file__).parents[3]
SIGNALS = [signal.SIGINT, signal.SIGTERM]
LINES = {signal.SIGINT: "interrupted\n", signal.SIGTERM: "stopped by SIGTERM\n"}
COMMANDS = """
import asyncio, sys
from shared.ops.process import run_command, run_until_done
from shared.ops.program import end_with

async def waits():
    print("ready", flush=True)
    await asyncio.Event().wait()
    return 0

async def has_its_own_words():
    try:
        await waits()
    except asyncio.CancelledError:
        print("42 of 50 are done", file=sys.stderr)
    return 1

async def hangs():
    try:
        await waits()
    except asyncio.CancelledError:
        print("ready again", flush=True)
        await asyncio.Event().wait()

async def is_incomplete(stop):
    print("ready", flush=True)
    await stop.wait()
    return 1

async def completes(stop):
    print("ready", flush=True)
    await stop.wait()
    return 0

async def fails(stop):
    print("ready", flush=True)
    return 1

command = globals()[sys.argv[1]]
if sys.argv[1] in ("is_incomplete", "completes", "fails"):
    end_with(lambda: run_until_done("test", command))
end_with(lambda: run_command("test", command()))
"""
PROGRAMS = {
    "projector": "projector.operators.command_line.commands",
    "command_api": "command_api.command_line",
    "query_api": "query_api.export.cli",
    "deploy.local": "deploy.local.command_line",
}


@pytest.mark.parametrize("number", SIGNALS)
async def test_a_command_that_is_interrupted_says_so_in_one_line(number: signal.Signals) -> None:
    started = await start_main(COMMANDS, "waits")
    started.process.send_signal(number)
    assert await started.ended() == (128 + number, LINES[number])


@pytest.mark.parametrize("number", SIGNALS)
async def test_one_with_words_of_its_own_has_the_last_word_but_not_the_exit_code(
    number: signal.Signals,
) -> None:
    started = await start_main(COMMANDS, "has_its_own_words")
    started.process.send_signal(number)
    assert await started.ended() == (128 + number, "42 of 50 are done\n")


@pytest.mark.parametrize("number", SIGNALS)
async def test_a_second_signal_ends_one_that_hangs(number: signal.Signals) -> None:
    started = await start_main(COMMANDS, "hangs")
    started.process.send_signal(number)
    await started.said("ready again")
    started.process.send_signal(number)
    assert await started.ended() == (128 + number, "")


@pytest.mark.parametrize("number", SIGNALS)
async def test_one_that_ends_in_order_has_the_exit_code_of_the_signal_unless_it_is_complete(
    number: signal.Signals,
) -> None:
    for command, code in (("is_incomplete", 128 + number), ("completes", 0)):
        started = await start_main(COMMANDS, command)
        started.process.send_signal(number)
        assert (await started.ended())[0] == code
    assert (await (await start_main(COMMANDS, "fails")).ended())[0] == 1


@pytest.mark.parametrize("program", PROGRAMS)
async def test_a_program_that_is_interrupted_while_it_is_loaded_says_so_in_one_line(
    tmp_path: Path, program: str
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", program, "--help",
        stderr=asyncio.subprocess.PIPE, env={**os.environ, **paused_import(tmp_path, PROGRAMS[program])},
    )  # fmt: skip
    assert process.stderr is not None
    assert (await process.stderr.readline()).decode() == f"{SAID}\n"
    process.send_signal(signal.SIGINT)
    assert await StartedMain(process).ended() == (128 + signal.SIGINT, "interrupted\n")


@pytest.mark.parametrize("command", ["deploy.local status", "command_api seed --count 1 --output -"])
def test_a_reader_who_has_seen_enough_is_no_error(tmp_path: Path, command: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", *command.split()],
        check=False, stdout=writing, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    os.close(writing)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")


def test_a_command_in_the_shell_of_the_stack_is_interrupted_alone(tmp_path: Path) -> None:
    command = "trap 'echo the catalogue is half full; exit 130' INT; echo ready; read line"
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.local", "shell", "-c", command],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT), "SHELL": "/bin/sh"}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    output, errors = process.communicate()
    assert (process.returncode, output, errors) == (130, "the catalogue is half full\n", "")
