"""Our own programs as children: a process is ready if its operations port says so, a job if it succeeded."""

import json
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.local.http_answer import answer_of, answers_ok
from deploy.local.server import Command, Progress, Server, silent


class Process(Server):
    """`python -m …` with an operations port."""

    # By design they survive any crash of a server, and they must not outlive the supervisor.
    orphan_signal = signal.SIGKILL

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        root: Path,
        log_file: Path,
        ops_port: int,
        progress: Progress = silent,
        ready_seconds_max: float = Server.ready_seconds_max,
    ) -> None:
        super().__init__(name, log_file, progress)
        self._command = _python(arguments, environment, root)
        self.ops_port = ops_port
        self.ready_seconds_max = ready_seconds_max

    def command(self) -> Command:
        """The same at every start."""
        return self._command

    def is_ready(self) -> bool:
        """GET /readyz on the operations port answers 200."""
        return answers_ok(self.ops_port, "/readyz")

    def degraded(self) -> Sequence[str]:
        """What it misses, although it is ready."""
        answer = answer_of(self.ops_port, "/readyz")
        try:
            told = json.loads(answer[1]) if answer is not None else {}
        except ValueError:
            return ()
        return told.get("degraded", ()) if isinstance(told, dict) else ()


class Job(Server):
    """`python -m …` that must end with exit code 0."""

    ready_seconds_max = 300.0

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        root: Path,
        log_file: Path,
        progress: Progress = silent,
    ) -> None:
        super().__init__(name, log_file, progress)
        self._command = _python(arguments, environment, root)

    def command(self) -> Command:
        """The same at every start."""
        return self._command

    def is_ready(self) -> bool:
        """True if it has ended with exit code 0."""
        return self.exit_code == 0


def _python(arguments: Sequence[str], environment: Mapping[str, str], root: Path) -> Command:
    return Command([sys.executable, "-m", *arguments], {**environment, "PYTHONUNBUFFERED": "1"}, root)
