"""`make shell`: a shell with the addresses that the processes of the running stack have.

It is a shell of its own: `make up` would take the same addresses in its environment for the user's own
servers, and would not start ours.
"""

import os
import shlex
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from deploy.local.errors import ProgramMissing
from deploy.local.postgres import find_programs
from deploy.local.settings import SHELL_MARK, StackSettings
from deploy.local.stack import build_stack

# With these a `make` in the shell would inherit the arguments of the `make` that started the shell.
_OF_MAKE = ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "ARGS")


def run_shell(settings: StackSettings, arguments: Sequence[str]) -> NoReturn:
    """A shell whose commands use the running stack. `docker compose up` has the same addresses.

    It takes the place of this process, so that Ctrl-C and SIGTERM are for the command alone.
    """
    shell = os.environ.get("SHELL") or "/bin/sh"
    if not arguments:
        print("Commands here use the running stack, for example: python -m projector status. `exit` leaves.")
    environment = environment_of_shell(settings)
    command = [shell, *arguments] if arguments else _interactive(settings, shell)
    sys.stdout.flush()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and a program would inherit that
    os.execvpe(command[0], command, environment)


def environment_of_shell(settings: StackSettings) -> dict[str, str]:
    """That of this process, and what the commands of operators need."""
    own = {name: value for name, value in os.environ.items() if name not in _OF_MAKE}
    mark = " ".join(("own:", *settings.own))
    return {**own, **operators_environment(settings), "PATH": _path(), SHELL_MARK: mark}


def _interactive(settings: StackSettings, shell: str) -> list[str]:
    """bash reads the user's start file, and then puts our folder first in PATH, before pyenv's or conda's."""
    if Path(shell).name != "bash":
        return [shell]
    start_file = settings.folder / "bashrc"
    start_file.parent.mkdir(exist_ok=True)
    users = "if [ -f ~/.bashrc ]; then . ~/.bashrc; fi"
    start_file.write_text(f"{users}\nPATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH\n")
    return [shell, "--rcfile", str(start_file)]


def operators_environment(settings: StackSettings) -> dict[str, str]:
    """The settings of all processes together; if two differ (in a role), the one that may write wins."""
    stack = build_stack(settings, lambda _name: lambda _state: None)
    variables: dict[str, str] = {}
    # Only the projector may write to the read model, which the APIs read.
    processes = sorted(stack.processes, key=lambda process: process.name == "projector")
    for child in (*stack.migrations, *processes):
        variables |= child.command().environment
    return variables | _token(settings)


def _token(settings: StackSettings) -> dict[str, str]:
    """A token with all rights: its file for our commands, and its text for `curl`.

    It wins over the environment: README exports the tokens of an editor and of an importer before.
    """
    file = settings.tokens / "admin"
    if not settings.starts_issuer or not file.exists():
        return {}
    return {"CATALOGUE_TOKEN_FILE": str(file), "TOKEN": file.read_text()}


def _path() -> str:
    """Our `python`; the `psql` of this machine if it has one, otherwise ours."""
    folders = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    with suppress(ProgramMissing):
        folders.append(str(find_programs()))
    return os.pathsep.join(folders)
