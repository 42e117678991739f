"""Partitions of the log, as the owner of the tables reads, detaches and attaches them."""

import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from command_api.archive.files import ArchiveBroken, Manifest, Write
from shared.ops.error_text import named
from shared.ops.secret import Secret
from shared.postgres.pool import connect
from shared.postgres.sql import load_sql

_SQL = "command_api.archive.postgres"
_PRODUCTS_SHOWN_MAX = 5


class AnotherJobRuns(Exception):
    """Another `archive-log` or `restore-log` has the lock."""


class LogNotReached(Exception):
    """PostgreSQL did not do it. Nothing is lost: running the command again continues."""


class FullPartition(NamedTuple):
    """It gets no event any more, and the relay has passed it. `sha256` None: not archived yet."""

    name: str
    lower_position: int
    upper_position: int
    sha256: str | None
    events: int | None


class Attachment(NamedTuple):
    """What is there of a partition."""

    exists: bool
    is_attached: bool
    is_detaching: bool


@asynccontextmanager
async def opened_partitions(dsn: Secret, lock_seconds_max: float) -> AsyncIterator["Partitions"]:
    """With the lock of archive jobs. Raises `AnotherJobRuns`; `LogNotReached` also in the block."""
    try:
        connection = await connect(
            dsn, application_name="catalogue-archive", lock_timeout_seconds=lock_seconds_max
        )
        try:
            if not await connection.fetchval(load_sql(_SQL, "try_archive_lock")):
                raise AnotherJobRuns("another archive-log or restore-log works on this log")
            yield Partitions(connection, str(await connection.fetchval(load_sql(_SQL, "select_log_id"))))
        finally:
            await connection.close()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise LogNotReached(f"{named(error)}; run the command again") from error


class Partitions:
    """One session; made by `opened_partitions`. Every method raises asyncpg's errors."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]", log_id: str) -> None:
        self.log_id = log_id
        self._connection = connection

    async def full(self) -> list[FullPartition]:
        """In the order of their positions."""
        return [FullPartition(*row) for row in await self._fetch("select_full_partitions")]

    async def count(self, partition: FullPartition) -> int:
        """Its events."""
        bounds = partition.lower_position, partition.upper_position
        return int(await self._fetchval("count_events", *bounds))

    async def copy_out(self, name: str, write: Write) -> None:
        """Its rows in order, as the file has them."""
        query = await self._fetchval("copy_statement", name)
        await self._connection.copy_from_query(query, output=write, format="binary")

    async def sha256(self, name: str) -> str:
        """Of the same bytes."""
        digest = hashlib.sha256()

        async def write(data: bytes) -> None:
            digest.update(data)

        await self.copy_out(name, write)
        return digest.hexdigest()

    async def note_archived(self, manifest: Manifest) -> None:
        """The file is there, and was read back."""
        await self._execute(
            "insert_archived", manifest.partition_name, manifest.lower_position, manifest.upper_position,
            manifest.events, manifest.sha256,
        )  # fmt: skip

    async def kept_by(self, partition: FullPartition, deleted_for: timedelta) -> list[UUID]:
        """Some of the products that were not deleted so long ago; empty: it may go."""
        rows = await self._fetch(
            "select_keeping_products", partition.lower_position, partition.upper_position, deleted_for,
            _PRODUCTS_SHOWN_MAX,
        )  # fmt: skip
        return [UUID(int=row[0].int) for row in rows]

    async def begin_removal(self, name: str) -> None:
        """Nobody relies on it from now on."""
        await self._execute("begin_removal", name)

    async def begun_removals(self) -> list[str]:
        """Those of a job that was killed."""
        return [row[0] for row in await self._fetch("select_begun_removals")]

    async def attachment(self, name: str) -> Attachment:
        """What is there of it."""
        (row,) = await self._fetch("select_attachment", name)
        return Attachment(*row)

    async def detach(self, name: str) -> None:
        """Concurrently: appends go on."""
        await self._run("detach_statement", name)

    async def finish_detaching(self, name: str) -> None:
        """After a kill in the middle of it."""
        await self._run("finalize_statement", name)

    async def drop(self, name: str) -> None:
        """Its table, which is detached."""
        await self._run("drop_statement", name)
        await self._execute("end_removal", name)

    async def archived(self, name: str) -> Manifest | None:
        """As it was stored when it was archived; None: never."""
        row = await self._connection.fetchrow(load_sql(_SQL, "select_archived"), name)
        if row is None:
            return None
        return Manifest(self.log_id, *(row[at] for at in range(5)))

    async def removed(self) -> list[str]:
        """The newest first."""
        return [row[0] for row in await self._fetch("select_removed")]

    async def restore(self, manifest: Manifest, chunks: Iterable[bytes]) -> None:
        """Load and attach it, in one transaction. Raises `ArchiveBroken` if the rows are others."""
        name, bounds = manifest.partition_name, (manifest.lower_position, manifest.upper_position)

        async def source() -> AsyncIterator[bytes]:
            for chunk in chunks:
                yield chunk

        async with self._connection.transaction():
            await self._run("create_statement", name, *bounds)
            await self._connection.copy_to_table(
                name, schema_name="catalogue", source=source(), format="binary"
            )
            if await self.sha256(name) != manifest.sha256:
                raise ArchiveBroken(f"{name}: the rows that were loaded are not those that were archived")
            await self._run("attach_statement", name, *bounds)
            await self._execute("undo_removal", name)

    async def _run(self, name: str, *arguments: object) -> None:
        """The statement that the file composes: names of tables are no parameters."""
        await self._connection.execute(await self._fetchval(name, *arguments))

    async def _fetch(self, name: str, *arguments: object) -> Sequence[asyncpg.Record]:
        return await self._connection.fetch(load_sql(_SQL, name), *arguments)

    async def _fetchval(self, name: str, *arguments: object) -> Any:
        return await self._connection.fetchval(load_sql(_SQL, name), *arguments)

    async def _execute(self, name: str, *arguments: object) -> None:
        await self._connection.execute(load_sql(_SQL, name), *arguments)
