"""`archive-log` and `restore-log`: arguments, output and exit codes; 0 done, 1 failed, 2 usage."""

import argparse
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from command_api.archive.app import ArchiveRefused, Order, archive_log, restore_log
from command_api.archive.files import ArchiveBroken
from command_api.archive.postgres.partitions import (
    AnotherJobRuns,
    LogNotReached,
    Partitions,
    opened_partitions,
)
from command_api.archive.settings import ArchiveSettings
from shared.ops.arguments import at_least
from shared.ops.logs import configure_logs
from shared.ops.process import EXIT_FAILED, run_command
from shared.ops.process_names import ARCHIVE
from shared.ops.settings import load_settings
from shared.ops.terminal import Terminal, process_terminal

Work = Callable[[Partitions], Awaitable[object]]


def add_archive_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `archive-log`."""
    _add_folder(parser)
    parser.add_argument(
        "--remove",
        action="store_true",
        help="remove partitions whose products were all deleted long ago, after reading their files back",
    )
    parser.add_argument(
        "--deleted-days",
        type=at_least(0),
        metavar="N",
        help="how many days ago at least (default: LOG_ARCHIVE_DELETED_DAYS_MIN)",
    )


def add_restore_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `restore-log`."""
    _add_folder(parser)
    parser.add_argument("names", nargs="*", metavar="PARTITION", help="which (default: all removed ones)")


def run_archive_command(args: argparse.Namespace) -> int:
    """Run `archive-log` in this process; returns its exit code."""
    settings, terminal = load_settings(ArchiveSettings), process_terminal()
    days = settings.log_archive_deleted_days_min if args.deleted_days is None else args.deleted_days
    order = Order(args.folder or settings.log_archive_folder, args.remove, timedelta(days=days))
    return _run(settings, terminal, lambda partitions: archive_log(partitions, order, terminal.say))


def run_restore_command(args: argparse.Namespace) -> int:
    """Run `restore-log` in this process; returns its exit code."""
    settings, terminal = load_settings(ArchiveSettings), process_terminal()
    folder = args.folder or settings.log_archive_folder
    names, say = args.names, terminal.say
    return _run(settings, terminal, lambda partitions: restore_log(partitions, folder, names, say))


def _add_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="where the files are (default: LOG_ARCHIVE_FOLDER)"
    )


def _run(settings: ArchiveSettings, terminal: Terminal, work: Work) -> int:
    configure_logs(ARCHIVE, settings, terminal.errors)

    async def until_done() -> int:
        try:
            async with opened_partitions(
                settings.event_store_migrate_dsn, settings.log_archive_lock_seconds_max
            ) as partitions:
                await work(partitions)
        except (ArchiveRefused, ArchiveBroken, AnotherJobRuns, LogNotReached) as error:
            terminal.complain(str(error))
            return EXIT_FAILED
        return 0

    return run_command(ARCHIVE, until_done())
