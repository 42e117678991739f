"""`python -m projector COMMAND`: 0 done, 1 failed, 2 wrong usage or settings, 3 some of it failed.

`rebuild` and `verify` have more: 4 something differs, 5 another process has the lock of this rebuild.

What projects is imported by `run` alone: FastStream is a third of a start.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence

from projector.errors import CannotGoOn
from projector.operators.command_line.control import add_pause_arguments, add_resume_arguments, run_control
from projector.operators.command_line.dead_letters import add_dead_letter_arguments, run_dead_letters
from projector.operators.command_line.rebuild import add_rebuild_arguments, run_rebuild
from projector.operators.command_line.status import add_status_arguments, run_status
from projector.operators.command_line.verify import add_verify_arguments, run_verify
from projector.postgres.migrate import migrate_read_model
from projector.projections import BY_NAME, NAMES, default_projections
from projector.settings import ProjectorSettings
from shared.ops.http.server import PortTaken
from shared.ops.logs import configure_logs
from shared.ops.process import run
from shared.ops.settings import load_settings

_READER_GONE = 141


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    chosen = _parser().parse_args(arguments)
    settings = load_settings(ProjectorSettings)
    if chosen.command == "run":
        return _run(settings, chosen.projection or [one.name for one in default_projections(settings)])
    if chosen.command == "migrate":
        return _migrate(settings)
    if chosen.command == "dead-letters":
        return run_dead_letters(chosen, settings)
    if chosen.command == "rebuild":
        return run_rebuild(chosen, settings)
    if chosen.command == "verify":
        return run_verify(chosen, settings)
    if chosen.command in ("pause", "resume"):
        return run_control(chosen, settings)
    return run_status(chosen, settings)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m projector", description="Turns events into read models.")
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run", help="project until SIGTERM")
    running.add_argument(
        "projection",
        nargs="*",
        help=f"which ones; default all: {', '.join(NAMES)} (the last only with SMTP_URL)",
    )
    commands.add_parser("migrate", help="bring the read model's schema up to date (READ_MODEL_MIGRATE_DSN)")
    add_dead_letter_arguments(
        commands.add_parser("dead-letters", help="what could not be applied, and what becomes of it")
    )
    add_pause_arguments(commands.add_parser("pause", help="let a projection stand still"))
    add_resume_arguments(commands.add_parser("resume", help="let a projection go on, whatever held it"))
    add_rebuild_arguments(
        commands.add_parser("rebuild", help="make a view anew from the log, while it serves")
    )
    add_verify_arguments(commands.add_parser("verify", help="compare views with the log that they come from"))
    add_status_arguments(
        commands.add_parser("status", help="how each projection is: lag, pauses, stops, what is parked")
    )
    return parser


def _run(settings: ProjectorSettings, names: Sequence[str]) -> int:
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        known = ", ".join(NAMES)
        print(f"no such projection: {', '.join(unknown)}; there are {known}", file=sys.stderr)
        return 2
    chosen = [BY_NAME[name] for name in dict.fromkeys(names)]
    for projection in chosen:
        if lacking := projection.lacks(settings):
            print(f"{projection.name} cannot run: set {lacking}", file=sys.stderr)
            return 2
    from projector.app import PROCESS, run_projector

    configure_logs(PROCESS, settings)
    try:
        return run(
            PROCESS,
            lambda stop: run_projector(settings, chosen, stop),
            shutdown_seconds_max=settings.shutdown_seconds_max,
        )
    except PortTaken as error:
        print(error, file=sys.stderr)
        return 1


def _migrate(settings: ProjectorSettings) -> int:
    try:
        applied = asyncio.run(migrate_read_model(settings.read_model_migrate_dsn))
    except CannotGoOn as error:
        print(f"migrate: {error}", file=sys.stderr)
        return 1
    print("\n".join(applied) if applied else "nothing to do")
    return 0


def _without_reader() -> int:
    """`| head` had enough: what is still buffered would be an error again at the interpreter's end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return _READER_GONE


if __name__ == "__main__":
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:
        code = _without_reader()
    sys.exit(code)
