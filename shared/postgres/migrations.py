"""Schema changes as numbered SQL files, applied once, in order, by one process at a time.

File names say when a step runs: `NNNN_before_deploy_<title>.sql` only adds (old code still works with it),
`NNNN_after_deploy_<title>.sql` removes objects that no running code uses (expand and contract; the naming is
procrastinate's). Each file is one transaction; checksums show whether an applied file was changed.

    MigrationError                 the base: nothing further was applied
      MigrationFilesAreWrong       a bad name, a gap, a duplicate number
      AppliedMigrationChanged      an applied file was edited or renamed
      MigrationOutOfOrder          the requested phase would skip a pending step of the other phase
      MigrationFailed              PostgreSQL refused a file; that file was rolled back
      AnotherMigrationRuns         another process has been migrating the database for too long to wait for it
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Literal

import asyncpg

from shared.ops.secret import Secret
from shared.postgres.pool import connect
from shared.postgres.sql import load_sql

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

Phase = Literal["before", "after", "all"]
PHASES: tuple[Phase, ...] = ("before", "after", "all")
PHASE_HELP = (
    "before: only what old code can live with; after: what remains once no old code runs; default: all"
)
# A DDL statement that waits for a long query blocks every later query of its table, so it must give up soon.
LOCK_SECONDS_MAX = 10.0
_SQL = "shared.postgres"
_FILE_NAME = re.compile(r"(\d{4})_(before|after)_deploy_([a-z0-9_]+)\.sql")


class MigrationError(Exception):
    """The schema is not as the code expects; it was not changed further."""


class MigrationFilesAreWrong(MigrationError):
    """The files of the package do not form one numbered sequence from 0001."""


class AppliedMigrationChanged(MigrationError):
    """An applied file was changed; never edit one, add a new file."""


class MigrationOutOfOrder(MigrationError):
    """A pending step of the other phase comes first."""


class MigrationFailed(MigrationError):
    """PostgreSQL refused one file; its transaction was rolled back."""


class AnotherMigrationRuns(MigrationError):
    """Its lock was not free in time. Trying again is right."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file; `name` is the file name without `.sql`, `sha256` is over its text with LF line ends."""

    number: int
    phase: Literal["before", "after"]
    name: str
    sha256: str
    sql: str


async def migrate(
    dsn: Secret | str,
    package: str,
    *,
    on_step: Callable[[str], None] | None = None,
    phase: Phase = "all",
    lock_seconds_max: float = LOCK_SECONDS_MAX,
) -> list[str]:
    """Apply the pending files of `<package>/migrations` and return their names, in order; [] when up to date.

    Connect as the role that owns the schema, directly (a session lock does not survive a transaction pooler).
    Raises `MigrationError`, or a transient error of `shared.postgres.errors` if the server is unavailable.
    Steps applied before an error stay applied; the next run continues there. No statement waits for a lock
    longer than `lock_seconds_max`; what it does with the lock may take as long as it needs.
    """
    say = on_step or (lambda _: None)
    migrations = read_migrations(package)
    connection = await connect(dsn, application_name="migrate", lock_timeout_seconds=lock_seconds_max)
    try:
        await _take_lock(connection, say)
        await connection.execute(load_sql(_SQL, "create_schema_migrations"))
        applied = await _applied(connection)
        _refuse_changed(migrations, applied)
        pending = [migration for migration in migrations if migration.number not in applied]
        chosen = _choose(pending, phase, fresh=not applied)
        for migration in chosen:
            say(f"applying {migration.name}")
            await _apply(connection, migration)
        return [migration.name for migration in chosen]
    finally:
        await connection.close()


def read_migrations(package: str) -> tuple[Migration, ...]:
    """The package's files, checked to be one sequence 1, 2, 3 … Raises `MigrationFilesAreWrong`."""
    folder = resources.files(package) / "migrations"
    files = [file for file in folder.iterdir() if file.name.endswith(".sql")] if folder.is_dir() else []
    migrations = sorted(
        (_parse(package, file.name, file.read_text(encoding="utf-8")) for file in files),
        key=lambda migration: (migration.number, migration.name),
    )
    for expected, migration in enumerate(migrations, start=1):
        if migration.number != expected:
            what = (
                "is a duplicate number"
                if migration.number < expected
                else f"leaves a gap: {expected:04} is missing"
            )
            raise MigrationFilesAreWrong(f"{package}/migrations/{migration.name}.sql {what}")
    return tuple(migrations)


def _parse(package: str, file_name: str, text: str) -> Migration:
    match = _FILE_NAME.fullmatch(file_name)
    if match is None:
        wanted = "NNNN_before_deploy_<title>.sql or NNNN_after_deploy_<title>.sql"
        raise MigrationFilesAreWrong(f"{package}/migrations/{file_name} is not named {wanted}")
    # The checksum must not depend on the line ends that git uses on this machine.
    sql = text.replace("\r\n", "\n")
    phase: Literal["before", "after"] = "before" if match[2] == "before" else "after"
    checksum = hashlib.sha256(sql.encode()).hexdigest()
    return Migration(int(match[1]), phase, file_name.removesuffix(".sql"), checksum, sql)


async def _take_lock(connection: "Connection", say: Callable[[str], None]) -> None:
    """Lock out other migrators of the database; the lock ends with the connection, even after a crash."""
    if await connection.fetchval(load_sql(_SQL, "try_migration_lock")):
        return
    say("waiting for another migration to finish")
    try:
        await connection.execute(load_sql(_SQL, "wait_for_migration_lock"))
    except asyncpg.LockNotAvailableError as error:
        raise AnotherMigrationRuns("another process migrates this database") from error


async def _applied(connection: "Connection") -> dict[int, tuple[str, str]]:
    """number -> (name, sha256) of the applied files."""
    rows = await connection.fetch(load_sql(_SQL, "select_schema_migrations"))
    return {row["number"]: (row["name"], row["sha256"]) for row in rows}


def _refuse_changed(migrations: Sequence[Migration], applied: dict[int, tuple[str, str]]) -> None:
    for migration in migrations:
        name, sha256 = applied.get(migration.number, (migration.name, migration.sha256))
        if name != migration.name:
            raise AppliedMigrationChanged(
                f"{migration.number:04} was applied as {name}, the file is now {migration.name}"
            )
        if sha256 != migration.sha256:
            raise AppliedMigrationChanged(
                f"{name}.sql changed after it was applied; restore it and add a new file"
            )


def _choose(pending: Sequence[Migration], phase: Phase, *, fresh: bool) -> Sequence[Migration]:
    """The pending files that `phase` covers.

    On a new database no code runs that a removal could break, so it returns every file up to the last one of
    the phase. Later, an earlier pending step of the other phase means that a deploy was skipped or not
    finished.
    """
    if phase == "all":
        return pending
    last = max((at for at, migration in enumerate(pending) if migration.phase == phase), default=-1)
    chosen = pending[: last + 1]
    if not fresh:
        for migration in chosen:
            if migration.phase != phase:
                raise MigrationOutOfOrder(
                    f"{migration.name} is pending: run the phase {migration.phase!r} first"
                )
    return chosen


async def _apply(connection: "Connection", migration: Migration) -> None:
    """Apply one file and record it, in one transaction."""
    try:
        async with connection.transaction():
            await connection.execute(migration.sql)
            if not connection.is_in_transaction():
                raise MigrationFailed(
                    f"{migration.name} ended its transaction; a file may not COMMIT or ROLLBACK"
                )
            await connection.execute(
                load_sql(_SQL, "insert_schema_migration"), migration.number, migration.name, migration.sha256
            )
    except asyncpg.PostgresError as error:
        raise MigrationFailed(f"{migration.name}: {error}") from error
