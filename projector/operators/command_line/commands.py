"""The arguments of `python -m projector`, and its commands that end by themselves."""

import argparse
import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import NoReturn

from projector.operators.command_line.audit import add_audit_arguments, run_audit
from projector.operators.command_line.control import add_pause_arguments, add_resume_arguments, run_control
from projector.operators.command_line.dead_letters import add_dead_letter_arguments, run_dead_letters
from projector.operators.command_line.rebuild import add_rebuild_arguments, run_rebuild
from projector.operators.command_line.reposition import add_reposition_arguments, run_reposition
from projector.operators.command_line.session import FAILED, USAGE, add_command
from projector.operators.command_line.snapshots import add_snapshot_arguments, run_snapshots
from projector.operators.command_line.status import add_status_arguments, run_status
from projector.operators.command_line.verify import add_verify_arguments, run_verify
from projector.postgres.migrate import migrate_read_model
from projector.projection import Projection
from projector.projections import BY_NAME, CONTROLLED, WEBHOOKS, default_projections
from projector.settings import MigrateSettings, ProjectorSettings
from shared.access.command import NotAllowed, operator_of
from shared.access.scopes import Scope
from shared.access.settings import load_listening_settings
from shared.ops.settings import load_settings
from shared.ops.terminal import Terminal
from shared.postgres.migrations import PHASE_HELP, PHASES, Phase
from shared.postgres.patient_migrate import say_outcome

RUN = "run"
_MIGRATE = "migrate"
AnySettings = ProjectorSettings | MigrateSettings
"""`migrate` has its own: it has the owner's address, and none of the others."""


def read_command(arguments: Sequence[str] | None = None) -> tuple[Namespace, AnySettings]:
    """Reads the arguments (default: those of this process) and the environment.

    Raises `SystemExit`: 2 for wrong usage or settings, with the reason printed; 0 after `--help`.
    """
    given = projector_parser().parse_args(arguments)
    if given.command == _MIGRATE:
        return given, load_settings(MigrateSettings)
    load = load_listening_settings if given.command == RUN else load_settings
    settings = load(ProjectorSettings)
    if given.command == RUN:
        given.delivers_webhooks = _delivers_webhooks(given.projection, settings)
        given.projections = _runnable(given.projection, settings)
    return given, settings


async def operate(given: Namespace, settings: AnySettings, terminal: Terminal) -> int:
    """Runs any command but `run`; returns its exit code."""
    if isinstance(settings, MigrateSettings):
        return await _migrate(settings, terminal, given.phase)
    try:
        if (scope := _scope_of(given)) is not None:
            given.operator = await operator_of(settings, given.token, given.acting_as, scope)
    except NotAllowed as refused:
        terminal.complain(str(refused))
        return USAGE if refused.is_usage else FAILED
    match given.command:
        case "dead-letters":
            return await run_dead_letters(given, settings, terminal)
        case "rebuild":
            return await run_rebuild(given, settings, terminal)
        case "reposition":
            return await run_reposition(given, settings, terminal)
        case "snapshots":
            return await run_snapshots(given, settings, terminal)
        case "verify":
            return await run_verify(given, settings, terminal)
        case "pause" | "resume":
            return await run_control(given, settings, terminal)
        case "audit":
            return await run_audit(given, settings, terminal)
        case "status":
            return await run_status(given, settings, terminal)
        case _:
            raise ValueError(f"{given.command} does not end by itself")


def _scope_of(given: Namespace) -> Scope | None:
    """None: `migrate` is a job with the credentials of the database's owner, and asks for no token."""
    scope: Scope | None = getattr(given, "scope", None)
    return Scope.OPS_READ if getattr(given, "show", False) else scope


def projector_parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m projector", description="Turns events into read models.")
    commands = parser.add_subparsers(dest="command", required=True)
    running = add_command(commands, RUN, "run projections until SIGTERM")
    running.add_argument(
        "projection",
        nargs="*",
        help=f"projections to run; default all: {', '.join(CONTROLLED)} (search_index only with "
        "SEARCH_URL, notifications only with SMTP_URL, webhooks only with WEBHOOK_SECRET_KEY)",
    )
    migrating = add_command(commands, _MIGRATE, "migrate the read model's schema (READ_MODEL_MIGRATE_DSN)")
    migrating.add_argument("--phase", choices=PHASES, default="all", help=PHASE_HELP)
    add_dead_letter_arguments(
        add_command(commands, "dead-letters", "list, show, retry or discard dead letters; park a record")
    )
    add_pause_arguments(add_command(commands, "pause", "pause a projection"))
    add_resume_arguments(
        add_command(commands, "resume", "continue a projection that is paused, stopped or waiting")
    )
    add_rebuild_arguments(
        add_command(commands, "rebuild", "build a view again from the log while readers use it")
    )
    add_reposition_arguments(
        add_command(
            commands,
            "reposition",
            "catch projections up from the log, and place them at the ends of the topic",
        )
    )
    add_snapshot_arguments(
        add_command(commands, "snapshots", "make the missing snapshots of products with many events")
    )
    add_verify_arguments(add_command(commands, "verify", "compare views with the log"))
    add_status_arguments(
        add_command(commands, "status", "show lag, pauses, stops and dead letters of each projection")
    )
    add_audit_arguments(add_command(commands, "audit", "list operator actions, the newest first"))
    return parser


def _runnable(names: Sequence[str], settings: ProjectorSettings) -> tuple[Projection, ...]:
    """The projections with these names; without names the default ones."""
    if not names:
        return default_projections(settings)
    unknown = sorted(set(names) - set(CONTROLLED))
    if unknown:
        _refuse(f"no such projection: {', '.join(unknown)}; known projections: {', '.join(CONTROLLED)}")
    chosen = tuple(BY_NAME[name] for name in dict.fromkeys(names) if name in BY_NAME)
    for projection in chosen:
        if lacking := projection.lacks(settings):
            _refuse(f"{projection.name} cannot run: set {lacking}")
    return chosen


def _delivers_webhooks(names: Sequence[str], settings: ProjectorSettings) -> bool:
    if WEBHOOKS in names and not settings.delivers_webhooks:
        _refuse(f"{WEBHOOKS} cannot run: set WEBHOOK_SECRET_KEY")
    return settings.delivers_webhooks and (not names or WEBHOOKS in names)


def _refuse(reason: str) -> NoReturn:
    print(reason, file=sys.stderr)  # noqa: T201
    raise SystemExit(USAGE)


async def _migrate(settings: MigrateSettings, terminal: Terminal, phase: Phase) -> int:
    applying = migrate_read_model(
        settings.read_model_migrate_dsn,
        wait_seconds_max=settings.migrate_wait_seconds_max,
        lock_seconds_max=settings.migrate_lock_seconds_max,
        say=terminal.complain,
        phase=phase,
    )
    return await say_outcome(applying, "read model", terminal)
