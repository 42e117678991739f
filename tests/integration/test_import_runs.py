"""What is kept of imports: one suite for the tables and for the fake."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
import pytest_asyncio

from command_api.executing.ports import StoreUnavailable
from command_api.import_runs import ImportIdTaken, ImportRun, ImportRuns
from command_api.postgres.import_runs import PostgresImportRuns
from shared.postgres.pool import create_pool
from tests.in_memory_import_runs import InMemoryImportRuns
from tests.servers import DatabaseDsns

pytestmark = pytest.mark.servers
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
KEPT_MAX = 3
RUN = ImportRun(
    import_id="run-1", file="shop.csv", caller="importer", started_at=BEGAN,
    finished_at=BEGAN + timedelta(seconds=7), products=3, created=1, changed=1, unchanged=0, rejected=1,
    events=2, rejects=[{"lines": "line 2", "key": None, "reason": "no price"}], rejects_left_out=0,
)  # fmt: skip


class Kept:
    """The port, and the ids that are there."""

    def __init__(self, runs: ImportRuns, owner: "asyncpg.Connection[asyncpg.Record] | None") -> None:
        self.runs = runs
        self._owner = owner

    async def ids(self) -> set[str]:
        if self._owner is None:
            assert isinstance(self.runs, InMemoryImportRuns)
            return set(self.runs.runs)
        return {
            row["import_id"] for row in await self._owner.fetch("SELECT import_id FROM catalogue.imports")
        }

    async def changed(self, import_id: str) -> int:
        """The count of changed products."""
        if self._owner is None:
            assert isinstance(self.runs, InMemoryImportRuns)
            return self.runs.runs[import_id].changed
        sql = "SELECT changed FROM catalogue.imports WHERE import_id = $1"
        return int(await self._owner.fetchval(sql, import_id))


async def pool_of(dsn: str) -> "asyncpg.Pool[asyncpg.Record]":
    return await create_pool(
        dsn, application_name="test", size_max=1, statement_timeout_seconds=30, connect_timeout_seconds=30
    )


@pytest_asyncio.fixture(params=["postgres", "in memory"])
async def kept(request: pytest.FixtureRequest, event_store_of_module: DatabaseDsns) -> AsyncIterator[Kept]:
    if request.param == "in memory":
        yield Kept(InMemoryImportRuns(imports_max=KEPT_MAX), None)
        return
    pool = await pool_of(event_store_of_module.writer)
    owner = await asyncpg.connect(event_store_of_module.owner)
    await owner.execute("DELETE FROM catalogue.imports")
    yield Kept(PostgresImportRuns(pool, imports_max=KEPT_MAX), owner)
    await owner.close()
    await pool.close()


async def test_a_later_report_of_a_run_replaces_the_first(kept: Kept) -> None:
    await kept.runs.keep(RUN)
    await kept.runs.keep(replace(RUN, changed=2, events=None))
    assert await kept.ids() == {"run-1"}
    assert await kept.changed("run-1") == 2


async def test_another_caller_replaces_nothing(kept: Kept) -> None:
    await kept.runs.keep(RUN)
    with pytest.raises(ImportIdTaken):
        await kept.runs.keep(replace(RUN, caller="another", changed=9))
    assert await kept.changed("run-1") == 1


async def test_the_newest_runs_are_kept_and_the_one_that_is_reported_now(kept: Kept) -> None:
    for number in (5, 1, 2, 3, 4):
        started_at = BEGAN + timedelta(minutes=number)
        await kept.runs.keep(replace(RUN, import_id=f"run-{number}", started_at=started_at))
    assert await kept.ids() == {"run-3", "run-4", "run-5"}
    await kept.runs.keep(replace(RUN, import_id="old"))
    assert "old" in await kept.ids()


async def test_a_server_that_is_away_is_unavailable() -> None:
    pool = await pool_of("postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(StoreUnavailable):
        await PostgresImportRuns(pool).keep(RUN)
    await pool.close()


async def test_services_cannot_change_a_report_but_by_the_function(
    event_store_of_module: DatabaseDsns,
) -> None:
    for dsn in (event_store_of_module.writer, event_store_of_module.log_reader):
        connection = await asyncpg.connect(dsn)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("DELETE FROM catalogue.imports")
        await connection.close()
