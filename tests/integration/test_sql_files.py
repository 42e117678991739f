"""Every .sql file of the services is a statement that the migrated schema understands for its role."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from projector.views.postgres.statements import LIVE, at_once
from tests.architecture.source_files import ROOT, named, nobody
from tests.servers import DatabaseDsns

pytestmark = pytest.mark.servers
Connection = asyncpg.Connection


class Connections:
    """One of each role to each database; nothing is written."""

    def __init__(self, stack: AsyncExitStack, event_store: DatabaseDsns, read_model: DatabaseDsns) -> None:
        self._stack = stack
        self._event_store = event_store
        self._read_model = read_model

    async def writer(self) -> Connection:
        return await self._opened(self._event_store.writer)

    async def log_reader(self) -> Connection:
        return await self._opened(self._event_store.log_reader)

    async def projector(self) -> Connection:
        return await self._opened(self._read_model.projector)

    async def view_reader(self) -> Connection:
        return await self._opened(self._read_model.reader)

    async def owner(self) -> Connection:
        return await self._opened(self._read_model.owner)

    async def _opened(self, dsn: str) -> Connection:
        connection: Connection = await asyncpg.connect(dsn)
        self._stack.push_async_callback(connection.close)
        return connection


@pytest_asyncio.fixture
async def connections(
    event_store_dsns: DatabaseDsns, read_model_dsns: DatabaseDsns
) -> AsyncIterator[Connections]:
    async with AsyncExitStack() as stack:
        yield Connections(stack, event_store_dsns, read_model_dsns)


def _statements(package: str) -> list[Path]:
    found = [
        file
        for file in sorted((ROOT / package).rglob("*.sql"))
        if file.parent.name not in ("migrations", "functions") and file.name != "at_once.sql"
    ]
    assert found
    return found


async def _errors(connection: Connection, file: Path, *, planned: bool = False) -> Sequence[str]:
    """What PostgreSQL has against it; `planned` also asks for its plan, with NULL for every argument."""
    text = file.read_text(encoding="utf-8")
    if file.name == "apply_at_once.sql":
        # A part, of which `at_once.sql` makes a statement.
        text = at_once(".".join(file.parent.relative_to(ROOT).parts), file.stem, LIVE, ())
    try:
        await connection.prepare(text)
        if planned:
            arguments = {f"${number}" for number in range(1, 50) if f"${number}" in text}
            await connection.execute(f"EXPLAIN {text}", *[None] * len(arguments))
    except asyncpg.PostgresError as error:
        return [f"{named(file)}: {type(error).__name__}: {error}"]
    return []


async def test_each_statement_of_the_command_api_is_understood(connections: Connections) -> None:
    writer = await connections.writer()
    nobody([error for file in _statements("command_api") for error in await _errors(writer, file)])


async def test_each_statement_of_the_projector_is_understood_and_planned_for_its_role(
    connections: Connections,
) -> None:
    log, views = await connections.log_reader(), await connections.projector()
    nobody(
        [
            error
            for file in _statements("projector")
            for error in await _errors(log if "catalogue." in file.read_text() else views, file, planned=True)
        ]
    )


async def test_each_statement_of_the_query_api_is_understood(connections: Connections) -> None:
    log, views = await connections.log_reader(), await connections.view_reader()
    nobody(
        [
            error
            for file in _statements("query_api")
            for error in await _errors(log if "catalogue." in file.read_text() else views, file)
        ]
    )


async def test_each_statement_about_webhooks_is_understood_for_the_roles_of_both_apis(
    connections: Connections,
) -> None:
    """Both read the same: the command API with the role that writes the log, too."""
    writer, log = await connections.writer(), await connections.log_reader()
    views = await connections.view_reader()
    nobody(
        [
            error
            for file in _statements("shared/webhooks")
            for role in ((writer, log) if "catalogue." in file.read_text() else (views,))
            for error in await _errors(role, file)
        ]
    )


async def test_each_statement_of_the_migrations_is_understood(connections: Connections) -> None:
    """But the script of two statements with which every migration begins, so that every test runs it."""
    owner = await connections.owner()
    files = [file for file in _statements("shared") if file.stem != "create_schema_migrations"]
    files = [file for file in files if "webhooks" not in file.parts]
    nobody([error for file in files for error in await _errors(owner, file)])
