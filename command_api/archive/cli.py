"""`archive-log` and `restore-log`: arguments, output and exit codes; 0 done, 1 failed, 2 usage.

They ask for no token, as the migrations: who has the password of the tables' owner may do all of it.
"""

import argparse
import asyncio
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
from shared.access.command import system_user
from shared.access.operator_actions import add_actor_and_reason
from shared.access.operator_log import OperatorLog
from shared.ops.arguments import at_least
from shared.ops.logs import configure_logs
from shared.ops.process import EXIT_FAILED, run_command
from shared.ops.process_names import ARCHIVE
from shared.ops.settings import load_settings
from shared.ops.terminal import Terminal, process_terminal

Work = Callable[[Partitions], Awaitable[str]]
"""Says in the end what was done."""


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
    add_actor_and_reason(parser, needs_reason=False, asks_for_token=False)


def add_restore_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `restore-log`."""
    _add_folder(parser)
    parser.add_argument("names", nargs="*", metavar="PARTITION", help="which (default: all removed ones)")
    add_actor_and_reason(parser, needs_reason=False, asks_for_token=False)


def run_archive_command(args: argparse.Namespace) -> int:
    """Run `archive-log` in this process; returns its exit code."""
    settings, terminal = load_settings(ArchiveSettings), process_terminal()
    days = settings.log_archive_deleted_days_min if args.deleted_days is None else args.deleted_days
    order = Order(args.folder or settings.log_archive_folder, args.remove, timedelta(days=days))

    async def archive(partitions: Partitions) -> str:
        done = await archive_log(partitions, order, terminal.say)
        return f"{done.archived} partitions archived, {done.removed} removed"

    return _run(args, settings, terminal, archive)


def run_restore_command(args: argparse.Namespace) -> int:
    """Run `restore-log` in this process; returns its exit code."""
    settings, terminal = load_settings(ArchiveSettings), process_terminal()
    folder = args.folder or settings.log_archive_folder

    async def restore(partitions: Partitions) -> str:
        restored = await restore_log(partitions, folder, args.names, terminal.say)
        return f"{restored} partitions restored"

    return _run(args, settings, terminal, restore)


def _add_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="where the files are (default: LOG_ARCHIVE_FOLDER)"
    )


def _run(args: argparse.Namespace, settings: ArchiveSettings, terminal: Terminal, work: Work) -> int:
    configure_logs(ARCHIVE, settings, terminal.errors)
    told = OperatorLog(args.command, args.acting_as or system_user(), args.reason)

    async def until_done() -> int:
        try:
            async with opened_partitions(
                settings.event_store_migrate_dsn, settings.log_archive_lock_seconds_max
            ) as partitions:
                told.started()
                told.ended("done", await work(partitions))
        except (ArchiveRefused, ArchiveBroken, AnotherJobRuns, LogNotReached) as error:
            terminal.complain(str(error))
            told.ended("failed", str(error))
            return EXIT_FAILED
        except asyncio.CancelledError:
            told.ended("stopped", "")
            raise
        return 0

    return run_command(ARCHIVE, until_done())
