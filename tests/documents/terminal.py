"""A terminal in which a page is typed: one shell that keeps its variables, and `make up` beside it."""

import os
import selectors
import signal
import subprocess
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

_STOP_SECONDS_MAX = 60


class Terminal:
    """A shell that stays open from command to command. What it prints to both of its outputs is one text."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._shell = subprocess.Popen(
            ["bash", "--norc", "--noprofile"], cwd=folder, env=environment, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def type(self, command: str, seconds_max: float) -> tuple[str, int]:
        """What it prints, and its exit code. `$?` of the next command is the code of this one."""
        assert self._shell.stdin is not None
        end = f"end-{uuid.uuid4().hex}"
        # A shell that the command opens reads the rest of our input; any other command gets none of it.
        typed = command if opens_a_shell(command) else f"{{ {command}\n}} </dev/null"
        told = f'__code=$?; printf "\\n%s %s\\n" {end} $__code; (exit $__code)'
        self._shell.stdin.write(f"{typed}\n{told}\n".encode())
        self._shell.stdin.flush()
        printed, _, code = self._read_until(f"\n{end} ", seconds_max).rpartition(f"\n{end} ")
        return printed, int(code)

    def close(self) -> None:
        """End the shell and whatever it has left running."""
        with suppress(ProcessLookupError):
            os.killpg(self._shell.pid, signal.SIGKILL)
        self._shell.communicate()

    def _read_until(self, end: str, seconds_max: float) -> str:
        assert self._shell.stdout is not None
        deadline = time.monotonic() + seconds_max
        read = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._shell.stdout, selectors.EVENT_READ)
            while not (end.encode() in read and read.endswith(b"\n")):
                if not selector.select(max(deadline - time.monotonic(), 0)):
                    raise TimeoutError(f"no end after {seconds_max} s:\n{read.decode()}")
                piece = os.read(self._shell.stdout.fileno(), 65536)
                if not piece:
                    raise EOFError(f"the shell has ended:\n{read.decode()}")
                read += piece
        return read.decode()


class RunningStack:
    """A `make up` in a terminal of its own."""

    def __init__(self, command: str, folder: Path, environment: Mapping[str, str]) -> None:
        self._log = NamedTemporaryFile(prefix="make-up-", suffix=".log")  # noqa: SIM115 - open as long as this
        self._process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"], cwd=folder, env=environment, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def printed(self) -> str:
        """So far; an error if it has ended by itself."""
        text = Path(self._log.name).read_text()
        if self._process.poll() not in (None, 0):
            raise RuntimeError(text)
        return text

    def stop(self) -> None:
        """As Ctrl-C does; a second time is harmless."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGINT)
        self._process.wait(_STOP_SECONDS_MAX)


def opens_a_shell(command: str) -> bool:
    """`make shell` with nothing behind it; what follows is typed into that shell."""
    return command.split("#")[0].strip() == "make shell"
