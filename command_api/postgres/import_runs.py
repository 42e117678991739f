"""Keeps the reports of imports in the event store's database, over the pool of reads."""

import asyncpg
import msgspec

from command_api.executing.ports import StoreUnavailable
from command_api.import_runs import ImportIdTaken, ImportRun
from shared.postgres.errors import is_unavailable
from shared.postgres.sql import load_sql

IMPORTS_MAX = 1000
_STORE_SQL = load_sql("command_api.postgres", "store_import")


class PostgresImportRuns:
    """Adapter of `ImportRuns`. The newest `imports_max` are kept."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", *, imports_max: int = IMPORTS_MAX) -> None:
        self._pool = pool
        self._imports_max = imports_max

    async def keep(self, run: ImportRun) -> None:
        rejects = msgspec.json.encode(run.rejects).decode()
        try:
            is_stored = await self._pool.fetchval(
                _STORE_SQL, run.import_id, run.file, run.caller, run.started_at, run.finished_at,
                run.products, run.created, run.changed, run.unchanged, run.rejected, run.events, rejects,
                run.rejects_left_out, self._imports_max,
            )  # fmt: skip
        except Exception as error:
            if not is_unavailable(error):
                raise
            raise StoreUnavailable("the event store cannot be reached, or is too slow") from error
        if not is_stored:
            raise ImportIdTaken
