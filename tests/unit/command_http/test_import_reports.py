"""`PUT /v1/imports/{import_id}`: what an importer may report, and who may repeat it."""

import json
from typing import Any

import pytest

from command_api.executing.ports import StoreUnavailable
from command_api.http.import_reports import REJECTS_MAX
from shared.access.scopes import Scope
from tests.guards import bearer, guard
from tests.in_memory_event_store import InMemoryEventStore
from tests.in_memory_import_runs import InMemoryImportRuns
from tests.unit.command_http.write_client import write_client

REPORT: dict[str, Any] = {
    "file": "shop.csv", "started_at": "2026-01-01T10:00:00Z", "finished_at": "2026-01-01T10:00:07Z",
    "products": 4, "created": 1, "changed": 1, "unchanged": 1, "rejected": 1, "events": 3,
    "rejects": [{"lines": "lines 2 to 4", "key": "blue-shirt", "reason": "no price"}], "rejects_left_out": 0,
}  # fmt: skip


async def test_a_report_is_kept_with_its_caller_and_may_be_sent_again() -> None:
    runs = InMemoryImportRuns()
    async with write_client(InMemoryEventStore(), imports=runs) as client:
        for changed in (3, 4):
            answer = await client.put("/v1/imports/run-1", json={**REPORT, "changed": changed})
            assert (answer.status_code, answer.content) == (204, b"")
    (run,) = runs.runs.values()
    assert (run.import_id, run.caller, run.file, run.changed) == ("run-1", "anonymous", "shop.csv", 4)
    assert run.rejects == REPORT["rejects"]
    assert (run.finished_at - run.started_at).total_seconds() == 7


async def test_a_run_of_another_caller_is_not_replaced() -> None:
    runs = InMemoryImportRuns()
    async with write_client(InMemoryEventStore(), guard(), imports=runs) as client:
        mine = bearer(Scope.PRODUCTS_IMPORT, sub="importer-a")
        assert (await client.put("/v1/imports/run-1", json=REPORT, headers=mine)).status_code == 204
        other = bearer(Scope.PRODUCTS_IMPORT, sub="importer-b")
        answer = await client.put("/v1/imports/run-1", json=REPORT, headers=other)
        assert (answer.status_code, answer.json()["code"]) == (409, "import-id-taken")
    assert [run.caller for run in runs.runs.values()] == ["importer-a"]


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"file": ""}, "/file"),
        ({"products": -1}, "/products"),
        ({"started_at": "yesterday"}, "/started_at"),
        ({"started_at": "2026-01-01T10:00:00"}, "/started_at"),
        ({"rejects": [{"lines": "1", "reason": "x"}] * (REJECTS_MAX + 1)}, "/rejects"),
        ({"rejects": [{"lines": "1", "reason": "\0"}]}, "/rejects/0/reason"),
        ({"unknown": 1}, "/unknown"),
    ],
)
async def test_a_report_of_another_form_is_refused(changed: dict[str, Any], pointer: str) -> None:
    async with write_client(InMemoryEventStore()) as client:
        answer = await client.put("/v1/imports/run-1", json={**REPORT, **changed})
    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


async def test_an_id_that_no_import_can_have_is_refused() -> None:
    async with write_client(InMemoryEventStore()) as client:
        for import_id in ("a%20b", "x" * 65):
            answer = await client.put(f"/v1/imports/{import_id}", json=REPORT)
            assert (answer.status_code, answer.json()["code"]) == (400, "malformed-import-id")


async def test_a_report_is_as_large_as_any_other_body_at_most() -> None:
    async with write_client(InMemoryEventStore()) as client:
        body = json.dumps({**REPORT, "file": "x" * 1024 * 1024})
        headers = {"content-type": "application/json"}
        answer = await client.put("/v1/imports/run-1", content=body, headers=headers)
        assert answer.status_code == 413
        answer = await client.put("/v1/imports/run-1", content=b"{}", headers={"content-type": "text/plain"})
        assert answer.status_code == 415


async def test_without_the_event_store_it_may_be_sent_again_later() -> None:
    runs = InMemoryImportRuns()
    runs.failure = StoreUnavailable("away")
    async with write_client(InMemoryEventStore(), imports=runs) as client:
        answer = await client.put("/v1/imports/run-1", json=REPORT)
    assert (answer.status_code, answer.json()["code"]) == (503, "store-unavailable")
    assert "retry-after" in answer.headers
