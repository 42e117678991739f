"""`python -m projector COMMAND`: 0 done, 1 failed, 2 wrong usage or settings, 3 some of it failed.

`rebuild` and `verify` have more: 4 there are differences, 5 another process has the lock of this rebuild.
SIGTERM ends each of them: 143.

Only `run` imports the running projections: FastStream is a third of the start time.
"""

import os
import sys
from collections.abc import Sequence

from projector.operators.command_line.commands import RUN, operate, read_command
from projector.projection import Projection
from projector.settings import ProjectorSettings
from shared.ops.logs import configure_logs
from shared.ops.process import run, run_command
from shared.ops.process_names import PROJECTOR_OPERATOR
from shared.ops.terminal import process_terminal
from shared.ops.unverified_servers import warn_of_unverified_servers

_READER_GONE = 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    given, settings = read_command(arguments)
    if given.command == RUN and isinstance(settings, ProjectorSettings):
        return _run(settings, given.projections)
    return run_command(PROJECTOR_OPERATOR, operate(given, settings, process_terminal()))


def _run(settings: ProjectorSettings, projections: Sequence[Projection]) -> int:
    from projector.app import PROCESS, run_projector

    configure_logs(PROCESS, settings)
    warn_of_unverified_servers(settings)
    return run(
        PROCESS,
        lambda stop: run_projector(settings, projections, stop),
        shutdown_seconds_max=settings.shutdown_seconds_max,
    )


def _without_reader() -> int:
    """After `| head` has closed the pipe, the buffered rest would be an error at the interpreter's end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return _READER_GONE


if __name__ == "__main__":
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:
        code = _without_reader()
    sys.exit(code)
