"""Migrating as a job of a deployment: it waits for a server that is not there yet, and ends with one line.

A job starts beside the servers and the network that it needs. One that dies at once uses up its attempts in
seconds, and then the deployment has no schema.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import asyncpg

from shared.contract.schemas import Schema
from shared.ops.concurrency.waits import pause
from shared.ops.error_text import named
from shared.ops.process import EXIT_FAILED
from shared.ops.secret import Secret
from shared.ops.terminal import Terminal
from shared.postgres.errors import ends_by_itself
from shared.postgres.migrations import MigrationError, Phase, migrate

_PAUSE_SECONDS = 0.5


class NotMigrated(Exception):
    """The text is one line for the operator: the database, and why its schema is not as this code needs."""


async def migrate_when_there(
    dsn: Secret | str,
    package: str,
    schema: Schema,
    *,
    wait_seconds_max: float,
    lock_seconds_max: float,
    say: Callable[[str], None],
    stop: asyncio.Event | None = None,
    phase: Phase = "all",
) -> list[str]:
    """`migrate`, again until PostgreSQL is there and nobody holds a lock: a long query, another migration.

    What is applied stays applied, and each attempt continues there. Each reason to wait is said once.
    Raises `NotMigrated` after `wait_seconds_max`, after `stop`, and at once for what does not end by itself.
    """
    stop = stop or asyncio.Event()
    said: set[str] = set()
    deadline = time.monotonic() + wait_seconds_max
    while True:
        try:
            return await migrate(dsn, package, on_step=say, phase=phase, lock_seconds_max=lock_seconds_max)
        except (MigrationError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            reason = _in_a_line(error)
            cause = error.__cause__ if isinstance(error, MigrationError) else error
            if not ends_by_itself(cause):
                raise NotMigrated(f"{schema.database}: {reason}") from error
            if stop.is_set() or time.monotonic() >= deadline:
                raise NotMigrated(f"{schema.database}: gave up waiting: {reason}") from error
            if type(error).__name__ not in said:
                say(f"{schema.database}: waiting up to {wait_seconds_max:g} s for PostgreSQL: {reason}")
            said.add(type(error).__name__)
        await pause(min(_PAUSE_SECONDS, max(deadline - time.monotonic(), 0)), stop)


async def say_outcome(applying: Awaitable[Sequence[str]], database: str, terminal: Terminal) -> int:
    """Await the names of the applied migrations, print how many they are or why there are none, and return
    the exit code.
    """
    try:
        applied = await applying
    except NotMigrated as error:
        terminal.complain(f"migrate: {error}")
        return EXIT_FAILED
    terminal.say(f"{database}: {len(applied)} migrations applied")
    return 0


def _in_a_line(error: BaseException) -> str:
    return " ".join(named(error).split())
