"""Every .sql file of the services is a statement that the migrated schema understands for its role."""

from pathlib import Path

import asyncpg
import pytest

from deploy.local.postgres import PostgresServer
from tests.databases import create_database
from tests.servers import DatabaseDsns

pytestmark = pytest.mark.servers
ROOT = Path(__file__).parents[2]


def _files(package: str) -> list[Path]:
    return [
        file
        for file in sorted((ROOT / package).rglob("*.sql"))
        if file.parent.name not in ("migrations", "functions")
    ]


def _named(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


async def _understood(file: Path, *dsns: str) -> None:
    """Prepared on the first database that knows its tables."""
    errors = []
    for dsn in dsns:
        connection = await asyncpg.connect(dsn)
        try:
            await connection.prepare(file.read_text())
        except asyncpg.PostgresError as error:
            errors.append(f"{type(error).__name__}: {error}")
        else:
            return
        finally:
            await connection.close()
    pytest.fail(f"{_named(file)}: {errors}")


@pytest.fixture(scope="session")
def event_store(postgres_server: PostgresServer, event_store_template: str) -> DatabaseDsns:
    """A copy that all of these tests prepare their statements on: nothing is written."""
    return create_database(postgres_server, "event_store_to_prepare_on", event_store_template)


@pytest.fixture(scope="session")
def read_model(postgres_server: PostgresServer, read_model_template: str) -> DatabaseDsns:
    """The same of the views."""
    return create_database(postgres_server, "read_model_to_prepare_on", read_model_template)


@pytest.mark.parametrize("file", _files("command_api"), ids=_named)
async def test_each_statement_of_the_command_api_is_understood(file: Path, event_store: DatabaseDsns) -> None:
    await _understood(file, event_store.writer)


@pytest.mark.parametrize("file", [*_files("projector"), *_files("query_api")], ids=_named)
async def test_each_statement_of_the_readers_is_understood_by_one_of_the_two_databases(
    file: Path, event_store: DatabaseDsns, read_model: DatabaseDsns
) -> None:
    role = "projector" if "projector" in file.parts else "reader"
    await _understood(file, getattr(read_model, role), event_store.reader, read_model.owner)
