"""`python -m projector COMMAND`: 0 done, 1 failed, 2 wrong usage or settings, 3 some of it failed.

`rebuild` and `verify` have more: 4 there are differences, 5 another process has the lock of this rebuild.
Ctrl-C ends each of them with 130, SIGTERM with 143; `run` ends in order, with 0.

Only `run` imports the running projections: FastStream is a third of the start time. What takes time to import
is imported by `main`, so that Ctrl-C meanwhile prints no traceback.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from shared.ops.program import end_with

if TYPE_CHECKING:
    from projector.projection import Projection
    from projector.settings import ProjectorSettings


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    from projector.operators.command_line.commands import RUN, operate, read_command
    from projector.settings import ProjectorSettings
    from shared.ops.process import run_command
    from shared.ops.process_names import PROJECTOR_OPERATOR
    from shared.ops.terminal import process_terminal

    given, settings = read_command(arguments)
    if given.command == RUN and isinstance(settings, ProjectorSettings):
        return _run(settings, given.projections, delivers_webhooks=given.delivers_webhooks)
    return run_command(PROJECTOR_OPERATOR, operate(given, settings, process_terminal()))


def _run(
    settings: "ProjectorSettings", projections: "Sequence[Projection]", *, delivers_webhooks: bool
) -> int:
    from projector.app import PROCESS, run_projector
    from shared.ops.logs import configure_logs
    from shared.ops.process import run
    from shared.ops.unverified_servers import warn_of_unverified_servers

    configure_logs(PROCESS, settings)
    warn_of_unverified_servers(settings)
    return run(
        PROCESS,
        lambda stop: run_projector(settings, projections, stop, webhooks=delivers_webhooks),
        shutdown_seconds_max=settings.shutdown_seconds_max,
    )


if __name__ == "__main__":
    end_with(main)
