"""What an import reports at its end, and that nothing of it can cost the import."""

import json
from pathlib import Path

import pytest

from command_api.importer.run_report import REJECTS_BYTES_MAX, REJECTS_MAX, RunReport
from command_api.importer.source import Rejection
from command_api.importer.summary import Summary
from tests.unit.importer.batch_stand_in import BatchStandIn
from tests.unit.importer.import_runs import imported


def test_a_run_reports_its_counts_and_its_rejects(api: BatchStandIn, tmp_path: Path) -> None:
    file = tmp_path / "products.ndjson"
    good = {
        "slug": "good",
        "name": "Good",
        "variants": [{"sku": "G", "price": {"amount": "1", "currency": "USD"}}],
    }
    takes_its_sku = {**good, "slug": "other"}
    file.write_text("\n".join([json.dumps(good), "[1]", json.dumps(good), json.dumps(takes_its_sku)]))
    assert imported(file, "--url", api.url) == 3
    ((import_id, report),) = api.reports.items()
    assert api.import_ids == {import_id}
    counts = {name: report[name] for name in ("products", "created", "changed", "unchanged", "rejected")}
    assert counts == {"products": 4, "created": 1, "changed": 0, "unchanged": 0, "rejected": 3}
    assert report["file"] == "products.ndjson"
    assert report["started_at"] <= report["finished_at"]
    rejects = [(one["lines"], one["key"]) for one in report["rejects"]]
    assert rejects == [("line 2", None), ("line 3", "good"), ("line 4", "other")]
    assert report["rejects_left_out"] == 0


@pytest.mark.parametrize("tells_events", [True, False])
def test_events_are_counted_if_every_answer_tells_them(
    api: BatchStandIn, shop: Path, tells_events: bool
) -> None:
    api.says_events = tells_events
    imported(shop, "--url", api.url)
    (report,) = api.reports.values()
    assert report["events"] == (api.events if tells_events else None)


@pytest.mark.parametrize("status", [404, 403, 503])
def test_an_api_that_does_not_take_the_report_costs_a_warning(
    api: BatchStandIn, shop: Path, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    api.report_status = status
    assert imported(shop, "--url", api.url) == 0
    captured = capsys.readouterr()
    assert "warning: the run is not in the list of imports" in captured.err
    assert "accepted: 8" in captured.out


def test_without_a_product_nothing_is_reported(api: BatchStandIn, tmp_path: Path) -> None:
    file = tmp_path / "empty.ndjson"
    file.write_text("\n")
    assert imported(file, "--format", "ndjson", "--url", api.url) == 0
    assert api.reports == {}


def test_a_report_has_room_for_what_the_api_takes() -> None:
    run, summary = RunReport(Path("shop.csv")), Summary()
    for number in range(REJECTS_MAX + 5):
        summary.rejected += 1
        run.add(Rejection(number, "r", None))
    report = json.loads(run.body(summary, 0))
    assert (len(report["rejects"]), report["rejects_left_out"]) == (REJECTS_MAX, 5)


def test_long_reasons_leave_rejects_out_before_the_body_is_too_large() -> None:
    run, summary = RunReport(Path("shop.csv")), Summary()
    for number in range(REJECTS_MAX):
        summary.rejected += 1
        run.add(Rejection(number, "ü" * 5000, None, "l" * 500, "k" * 500))
    body = run.body(summary, 0)
    report = json.loads(body)
    assert REJECTS_BYTES_MAX < len(body) + 8192 < 1024 * 1024 + 8192
    assert len(report["rejects"]) + report["rejects_left_out"] == REJECTS_MAX
    assert len(report["rejects"][0]["reason"]) == 2000


def test_what_cannot_be_stored_is_replaced() -> None:
    run, summary = RunReport(Path("sh\udce4p.csv")), Summary(rejected=1)
    run.add(Rejection(1, "bad \0 and \ud800", None, "line 1", "k\0"))
    report = json.loads(run.body(summary, None))
    assert report["file"] == "sh?p.csv"
    assert report["rejects"] == [{"lines": "line 1", "key": "k?", "reason": "bad ? and ?"}]
