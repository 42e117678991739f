"""`make shell`: commands for the running stack need the addresses that `make up` has given its processes.

A shell of its own, because the same addresses in the shell of the next `make up` would count as the user's
own servers, and `make up` starts no server that the user has.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from deploy.local.errors import ProgramMissing
from deploy.local.postgres import find_programs
from deploy.local.settings import StackSettings
from deploy.local.stack import build_stack

MARK = "CATALOGUE_SHELL"
# With these a `make` in the shell would take over the arguments of the one that started it.
_OF_MAKE = ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "ARGS")


def run_shell(settings: StackSettings, arguments: Sequence[str]) -> int:
    """The user's shell with these arguments; its exit code. `docker compose up` has the same addresses."""
    shell = os.environ.get("SHELL") or "/bin/sh"
    if not arguments:
        print("Commands in this shell go to the running stack: python -m projector status. `exit` leaves it.")
    own = {name: value for name, value in os.environ.items() if name not in _OF_MAKE}
    environment = {**own, **operators_environment(settings), "PATH": _path(), MARK: "1"}
    command = [shell, *arguments] if arguments else _interactive(settings, shell)
    return subprocess.run(command, check=False, env=environment).returncode


def _interactive(settings: StackSettings, shell: str) -> list[str]:
    """bash reads the user's start file first; what pyenv or conda put before PATH there stays behind ours."""
    if Path(shell).name != "bash":
        return [shell]
    start_file = settings.folder / "bashrc"
    start_file.parent.mkdir(exist_ok=True)
    users = "if [ -f ~/.bashrc ]; then . ~/.bashrc; fi"
    start_file.write_text(f"{users}\nPATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH\n")
    return [shell, "--rcfile", str(start_file)]


def operators_environment(settings: StackSettings) -> dict[str, str]:
    """What all processes are told, together; where two differ (a role), that which may write wins."""
    stack = build_stack(settings, lambda _name: lambda _state: None)
    told: dict[str, str] = {}
    for child in (*stack.migrations, *reversed(stack.processes)):
        told |= child.command().environment
    return told


def _path() -> str:
    """`python` is ours; `psql` is the one of this machine, or ours."""
    folders = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    with suppress(ProgramMissing):
        folders.append(str(find_programs()))
    return os.pathsep.join(folders)
