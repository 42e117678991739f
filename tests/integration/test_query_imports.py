"""`GET /v1/imports`: what importers have reported, in pages, and one with what it rejected."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from command_api.import_runs import ImportRun
from command_api.postgres.import_runs import PostgresImportRuns
from shared.access.scopes import Scope
from shared.postgres.pool import create_pool
from tests.guards import bearer
from tests.integration.history_world import PastWorld, guarded_past, past
from tests.servers import DatabaseDsns

__all__ = ["guarded_past", "past"]

pytestmark = pytest.mark.servers
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
REJECTS = [{"lines": "lines 2 to 4", "key": "blue-shirt", "reason": "no price ü"}]
RUN = ImportRun(
    import_id="run/1", file="shop.csv", caller="importer", started_at=BEGAN,
    finished_at=BEGAN + timedelta(seconds=7), products=9, created=1, changed=2, unchanged=3, rejected=3,
    events=5, rejects=REJECTS, rejects_left_out=2,
)  # fmt: skip
SHOWN = {
    "import_id": "run/1", "file": "shop.csv", "caller": "importer", "started_at": "2026-01-01T00:00:00Z",
    "finished_at": "2026-01-01T00:00:07Z", "products": 9, "created": 1, "changed": 2, "unchanged": 3,
    "rejected": 3, "events": 5,
}  # fmt: skip


@pytest_asyncio.fixture
async def runs(event_store_of_module: DatabaseDsns, past: PastWorld) -> AsyncIterator[PostgresImportRuns]:
    """The writer's hand; no import has been reported before."""
    await past.log.execute("DELETE FROM catalogue.imports")
    pool = await create_pool(
        event_store_of_module.writer,
        application_name="test", size_max=1, statement_timeout_seconds=30, connect_timeout_seconds=30,
    )  # fmt: skip
    yield PostgresImportRuns(pool)
    await pool.close()


async def listed(past: PastWorld, **parameters: Any) -> tuple[list[dict[str, Any]], str | None]:
    answer = await past.query.served.get("/v1/imports", params=parameters)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return body["items"], body["next_cursor"]


async def test_an_import_is_listed_and_shown_with_what_it_rejected(
    past: PastWorld, runs: PostgresImportRuns
) -> None:
    await runs.keep(RUN)
    assert await listed(past) == ([SHOWN], None)
    answer = await past.query.served.get("/v1/imports/run%2F1")
    assert answer.status_code == 200, answer.text
    assert answer.json() == {**SHOWN, "rejects": REJECTS, "rejects_left_out": 2}


async def test_pages_have_each_import_once_and_the_newest_first(
    past: PastWorld, runs: PostgresImportRuns
) -> None:
    for number in range(5):
        started_at = BEGAN + timedelta(minutes=number // 2)  # some begin at the same time
        await runs.keep(replace(RUN, import_id=f"run-{number}", started_at=started_at))
    seen: list[str] = []
    cursor: str | None = None
    while True:
        items, cursor = await listed(past, limit=2, **({} if cursor is None else {"cursor": cursor}))
        seen += [one["import_id"] for one in items]
        if cursor is None:
            break
    assert seen == ["run-4", "run-3", "run-2", "run-1", "run-0"]


@pytest.mark.parametrize("unknown", ["nothing", "a%00b"])
async def test_an_import_that_nobody_has_reported_is_not_found(
    past: PastWorld, runs: PostgresImportRuns, unknown: str
) -> None:
    answer = await past.query.served.get(f"/v1/imports/{unknown}")
    assert (answer.status_code, answer.json()["code"]) == (404, "import-not-found")


async def test_who_ran_an_import_is_for_auditors(guarded_past: PastWorld, runs: PostgresImportRuns) -> None:
    await runs.keep(RUN)
    served = guarded_past.query.served
    editor = bearer(Scope.PRODUCTS_READ_DRAFTS)
    auditor = bearer(Scope.PRODUCTS_READ_DRAFTS, Scope.PRODUCTS_AUDIT)
    for address in ("/v1/imports", "/v1/imports/run%2F1"):
        seen = [(await served.get(address, headers=token)).json() for token in (editor, auditor)]
        callers = [body["items"][0]["caller"] if "items" in body else body["caller"] for body in seen]
        assert callers == [None, "importer"]
        reader = await served.get(address, headers=bearer(Scope.PRODUCTS_READ))
        assert reader.status_code == 403
