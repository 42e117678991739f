"""`python -m deploy.local up|down|status|shell|traces|clean`: the local stack in `.local/`."""

import argparse
import os
import shutil
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

from deploy.local.errors import AlreadyRunning, LocalStackError
from deploy.local.lock import running_pid
from deploy.local.ports import port_is_taken
from deploy.local.process import Process
from deploy.local.server import Server
from deploy.local.settings import PROCESSES, StackSettings
from deploy.local.shell import MARK, run_shell
from deploy.local.stack import build_stack
from deploy.local.supervisor import Supervisor
from deploy.local.traces.command import add_arguments, run_traces

_DOWN_SECONDS_MAX = 90.0


def up(settings: StackSettings) -> int:
    """Start everything and run until stopped."""
    if MARK in os.environ:
        raise LocalStackError(
            "this is a `make shell`, which has the addresses of a running stack: leave it with `exit` first"
        )
    Supervisor(settings).run()
    return 0


def down(settings: StackSettings) -> int:
    """Stop the stack of this directory, from another terminal."""
    pid = running_pid(settings.folder)
    if pid is None:
        print("not running")
        return 0
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _DOWN_SECONDS_MAX
    while running_pid(settings.folder) == pid:
        if time.monotonic() > deadline:
            raise LocalStackError(f"process {pid} has not stopped after {_DOWN_SECONDS_MAX:.0f} s")
        time.sleep(0.1)
    print("stopped")
    return 0


def status(settings: StackSettings) -> int:
    """Show what is ready, with process ids. Exit code 0: everything, 1: something is not, 3: nothing runs."""
    pid = running_pid(settings.folder)
    if pid is None:
        print("not running")
        return 3
    stack = build_stack(settings, lambda _name: lambda _state: None)
    print(f"running (pid {pid})")
    all_ready = True
    for name, port in settings.ports_to_bind().items():
        is_up = port_is_taken(port)
        all_ready = all_ready and is_up
        print(f"  {name:<22} {port:>5}  {'listening' if is_up else 'CLOSED'}")
    for part in (*stack.servers, *stack.processes):
        is_ready = part.is_ready()
        all_ready = all_ready and is_ready
        port_shown = part.ops_port if isinstance(part, Process) else ""
        state = "ready" if is_ready else "NOT READY"
        missed = ", ".join(part.degraded()) if is_ready else ""
        shown = f"  {part.name:<22} {port_shown:>5}  {state:<9}  {_whose(part, pid, is_ready=is_ready)}"
        print(f"{shown}, without {missed}" if missed else shown)
    return 0 if all_ready else 1


def _whose(part: Server, supervisor_pid: int, *, is_ready: bool) -> str:
    """An operator needs the pid to end a part that hangs: it answers nobody, and obeys no SIGTERM."""
    pid = part.pid_under(supervisor_pid)
    if pid is not None:
        return f"pid {pid}"
    return "started by hand" if is_ready else "no process"


def clean(settings: StackSettings) -> int:
    """Remove all data and logs of this directory."""
    if running_pid(settings.folder) is not None:
        raise AlreadyRunning("the stack is running: stop it with `make down` first")
    postgres = settings.data / "postgres"
    if postgres.is_symlink():  # see unprivileged.py: root's data may live elsewhere
        shutil.rmtree(postgres.resolve().parent)
    shutil.rmtree(settings.folder, ignore_errors=not settings.folder.exists())
    print("removed .local/")
    return 0


_COMMANDS = {"up": up, "down": down, "status": status, "clean": clean}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, act in {**_COMMANDS, "shell": run_shell}.items():
        command = commands.add_parser(name, help=(act.__doc__ or "").splitlines()[0], allow_abbrev=False)
        if name == "up":
            command.add_argument(
                "--without", action="append", default=[], metavar="PROCESS", choices=PROCESSES,
                help=f"do not start this process; you run it by hand (repeatable): {', '.join(PROCESSES)}",
            )  # fmt: skip
            command.add_argument(
                "--secure", action="store_true",
                help="callers need a token; a token for each role is in .local/tokens",
            )  # fmt: skip
            command.add_argument(
                "--observe", action="store_true",
                help="keep traces of all requests, which `python -m deploy.local traces` shows; "
                "start Prometheus, too, if it is installed",
            )  # fmt: skip
    add_arguments(commands.add_parser("traces", help="Show traces.", allow_abbrev=False))
    return parser


def run_command_line() -> int:
    """An error that the user can repair is printed in one line, without a traceback."""
    parser = _parser()
    given, rest = parser.parse_known_args()
    command = given.command
    if rest and command != "shell":
        parser.error(f"{command} does not accept: {' '.join(rest)}")
    try:
        settings = StackSettings.read(Path.cwd())
        if command == "shell":
            return run_shell(settings, rest)
        if command == "up":
            chosen = {"is_secure": given.secure, "is_observed": given.observe}
            settings = replace(settings, without=frozenset(given.without), **chosen)
        if command == "traces":
            return run_traces(settings.traces, given)
        return _COMMANDS[command](settings)
    except LocalStackError as error:
        print(f"deploy.local {command}: {error}", file=sys.stderr)
        return 1
