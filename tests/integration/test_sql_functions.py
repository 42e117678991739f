"""Each SQL function has its present text in one file: what the migrations make is what the files say."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg
import pytest

from deploy.sql_functions.drift import Drift, drifts
from deploy.sql_functions.migration import CannotWrite, write_migration
from shared.postgres.migrations import migrate
from tests.servers import DatabaseDsns

Connection = asyncpg.Connection
pytestmark = pytest.mark.servers
ROOT = Path(__file__).parents[2]
PACKAGES = ("command_api.postgres", "projector.postgres")

ADD = """-- Adds.
CREATE OR REPLACE FUNCTION add(a int, b int) RETURNS int LANGUAGE sql IMMUTABLE AS $$
    SELECT $1 + $2
$$;
"""
STAMP = """-- Stamps rows.
CREATE OR REPLACE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER stamped BEFORE INSERT ON things FOR EACH ROW EXECUTE FUNCTION stamp();
"""


@pytest.fixture
async def database(make_database: Callable[[], DatabaseDsns]) -> AsyncIterator[Connection]:
    """An empty one, as the role that migrates."""
    connection = await asyncpg.connect(make_database().owner)
    yield connection
    await connection.close()


async def test_every_function_of_a_migrated_database_is_what_its_file_says(
    make_database: Callable[[], DatabaseDsns],
) -> None:
    found: list[Drift] = []
    for package in PACKAGES:
        dsn = make_database().owner
        await migrate(dsn, package)
        connection = await asyncpg.connect(dsn)
        try:
            files = list((ROOT / package.replace(".", "/") / "functions").glob("*.sql"))
            assert files
            found += await drifts(connection, files)
        finally:
            await connection.close()
    assert not found, "\n".join(one.text for one in found)


def _written(folder: Path, **texts: str) -> list[Path]:
    for name, text in texts.items():
        (folder / f"{name}.sql").write_text(text)
    return list(folder.glob("*.sql"))


CHANGES = {
    "body": ("$1 + $2", "$2 + $1"),
    "argument name": ("a int, b int", "a int, c int DEFAULT 1"),
    "argument type": ("b int", "b bigint"),
    "result": ("RETURNS int", "RETURNS bigint"),
    "volatility": ("IMMUTABLE", "STABLE"),
    "security": ("IMMUTABLE", "IMMUTABLE SECURITY DEFINER"),
    "setting": ("IMMUTABLE", "IMMUTABLE SET work_mem = '1MB'"),
    "parallel safety": ("IMMUTABLE", "IMMUTABLE PARALLEL SAFE"),
    "grants": ("$$;", "$$;\nREVOKE ALL ON FUNCTION add FROM PUBLIC;"),
}


async def test_each_kind_of_drift_names_the_function_and_shows_the_difference(
    database: Connection, tmp_path: Path
) -> None:
    await database.execute(ADD)
    assert await drifts(database, _written(tmp_path, add=ADD)) == []
    for kind, (old, new) in CHANGES.items():
        [found] = await drifts(database, _written(tmp_path, add=ADD.replace(old, new)))
        assert found.function == "public.add", kind
        assert "--- migrated database\n+++ add.sql" in found.text, kind


async def test_a_function_without_a_file_and_a_file_without_a_function_are_drift(
    database: Connection, tmp_path: Path
) -> None:
    await database.execute(ADD)
    files = _written(tmp_path, subtract=ADD.replace("add(", "subtract("))
    assert [(one.function, one.file) for one in await drifts(database, files)] == [
        ("public.subtract", tmp_path / "subtract.sql"),
        ("public.add", None),
    ]


async def test_a_trigger_belongs_to_the_file_of_its_function(database: Connection, tmp_path: Path) -> None:
    await database.execute("CREATE TABLE things (id int)")
    await database.execute(STAMP)
    assert await drifts(database, _written(tmp_path, stamp=STAMP)) == []
    [found] = await drifts(database, _written(tmp_path, stamp=STAMP.replace("BEFORE", "AFTER")))
    assert "+CREATE TRIGGER stamped AFTER INSERT" in found.text
    assert await drifts(database, _written(tmp_path, stamp=STAMP)) == []  # nothing was changed by comparing


async def test_a_file_makes_the_one_function_that_it_is_named_after(
    database: Connection, tmp_path: Path
) -> None:
    await database.execute(ADD)
    [both] = await drifts(database, _written(tmp_path, add=ADD + ADD.replace("add(", "sum(")))
    assert "it creates public.add, public.sum" in both.text
    [refused] = await drifts(database, _written(tmp_path, add="-- Nonsense.\nCREATE FUNCTION;"))
    assert "PostgreSQL refuses it: syntax error" in refused.text


async def test_a_migration_carries_the_files_that_changed_and_no_others(
    database: Connection, tmp_path: Path
) -> None:
    package, migrations = "command_api.postgres", tmp_path / "migrations"
    migrations.mkdir()
    same = ADD.replace("add(", "same(")
    await database.execute(ADD)
    await database.execute(same)
    files = _written(tmp_path, add=ADD.replace("$1 + $2", "$2 + $1"), same=same)
    written = write_migration(package, migrations, "turned", await drifts(database, files))
    assert written.name.endswith("_before_deploy_turned.sql")
    assert "same" not in written.read_text()
    await database.execute(written.read_text())
    assert await drifts(database, files) == []
    with pytest.raises(CannotWrite, match="no function file differs"):
        write_migration(package, migrations, "again", [])
    with pytest.raises(CannotWrite, match="after_deploy"):
        write_migration(package, migrations, "gone", [Drift("public.add", None, "no file")])
