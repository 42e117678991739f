"""The command line of the command API: its processes, and the commands of its operators.

`serve` and `relay` import their modules when they run: importing FastAPI takes most of the time of a start.
"""

import argparse
import asyncio
import sys

from command_api.archive.cli import (
    add_archive_arguments,
    add_restore_arguments,
    run_archive_command,
    run_restore_command,
)
from command_api.importer.cli import add_import_arguments, run_import
from command_api.importer.seed import add_seed_arguments, run_seed
from command_api.postgres.migrate import migrate_event_store
from command_api.relay.settings import RelaySettings
from command_api.remake.cli import add_remake_arguments, run_remake_command
from command_api.renew.cli import add_renew_arguments, run_renew_command
from command_api.replay.cli import add_replay_arguments, run_replay_command
from command_api.settings import CommandSettings, MigrateSettings
from shared.access.settings import load_listening_settings
from shared.ops.logs import configure_logs
from shared.ops.process import run, run_until_done
from shared.ops.process_names import MIGRATE, RELAY
from shared.ops.settings import load_settings
from shared.ops.terminal import process_terminal
from shared.ops.unverified_servers import warn_of_unverified_servers
from shared.postgres.migrations import PHASE_HELP, PHASES, Phase
from shared.postgres.patient_migrate import say_outcome


def run_command_line(arguments: list[str] | None = None) -> int:
    """Run one sub-command and return its exit code."""
    given = command_parser().parse_args(arguments)
    match given.command:
        case "serve":
            return _serve()
        case "relay":
            return _relay()
        case "replay":
            return run_replay_command(given)
        case "remake-topics":
            return run_remake_command(given)
        case "renew-log-id":
            return run_renew_command(given)
        case "archive-log":
            return run_archive_command(given)
        case "restore-log":
            return run_restore_command(given)
        case "migrate":
            return _migrate(given.phase)
        case "import":
            return run_import(given)
        case _:
            return run_seed(given)


def command_parser() -> argparse.ArgumentParser:
    """The parser of the command line. Defaults come from the environment at the time of the call."""
    parser = argparse.ArgumentParser(prog="python -m command_api", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _command(commands, "serve", "serve the write API until SIGTERM")
    _command(commands, "relay", "publish the event log to Kafka until SIGTERM")
    add_replay_arguments(
        _command(commands, "replay", "publish a range of the event log again, marked as a replay")
    )
    add_remake_arguments(
        _command(commands, "remake-topics", "make the topics of events again from the event log")
    )
    add_renew_arguments(
        _command(commands, "renew-log-id", "make a log that was restored, and lost events, another log")
    )
    add_archive_arguments(
        _command(
            commands, "archive-log", "copy full partitions of the event log to files, and remove old ones"
        )
    )
    add_restore_arguments(_command(commands, "restore-log", "bring removed partitions of the event log back"))
    migrating = _command(commands, "migrate", "apply the missing migrations to the event-store database")
    migrating.add_argument("--phase", choices=PHASES, default="all", help=PHASE_HELP)
    add_import_arguments(
        _command(commands, "import", "import a catalogue from an NDJSON file or a Shopify CSV")
    )
    add_seed_arguments(_command(commands, "seed", "import an invented catalogue of any size"))
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, summary: str
) -> argparse.ArgumentParser:
    """The text of the list of commands is also the first line of the command's own `--help`."""
    return commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")


def _serve() -> int:
    from command_api.app import PROCESS, serve

    settings = load_listening_settings(CommandSettings)
    configure_logs(PROCESS, settings)
    warn_of_unverified_servers(settings)
    bound = settings.shutdown_seconds_max
    return run(PROCESS, lambda stop: serve(stop, settings), shutdown_seconds_max=bound)


def _relay() -> int:
    from command_api.relay.app import run_relay

    settings = load_listening_settings(RelaySettings)
    configure_logs(RELAY, settings)
    warn_of_unverified_servers(settings)
    return run(
        RELAY, lambda stop: run_relay(stop, settings), shutdown_seconds_max=settings.shutdown_seconds_max
    )


def _migrate(phase: Phase) -> int:
    settings, terminal = load_settings(MigrateSettings), process_terminal()
    configure_logs(MIGRATE, settings, sys.stderr)

    async def migrate(stop: asyncio.Event) -> int:
        applying = migrate_event_store(
            settings.event_store_migrate_dsn,
            wait_seconds_max=settings.migrate_wait_seconds_max,
            lock_seconds_max=settings.migrate_lock_seconds_max,
            say=terminal.complain,
            stop=stop,
            phase=phase,
        )
        return await say_outcome(applying, "event store", terminal)

    return run_until_done(MIGRATE, migrate)
