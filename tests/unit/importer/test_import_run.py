"""A whole import against an endpoint on a real port: the second run, faults, refusals, exit codes."""

import argparse
import csv
import json
import shutil
import socket
from pathlib import Path

import pytest

from command_api.importer.cli import add_import_arguments
from command_api.importer.seed import add_seed_arguments, run_seed
from tests.unit.importer.batch_stand_in import BatchStandIn, Fault
from tests.unit.importer.import_runs import DATA, imported, summary_of


def test_a_shop_is_loaded_with_the_statuses_of_the_file(
    api: BatchStandIn, shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert imported(shop, "--url", api.url, "--json") == 0
    summary = summary_of(capsys)
    assert (summary["created"], summary["accepted"], summary["rejected"]) == (8, 8, 0)
    assert summary["rejected_file"] is None
    assert {"SEO Title", "Price / International"} <= set(summary["unknown_columns"])
    statuses = {slug: product["status"] for slug, product in api.products.items()}
    assert statuses["linen-tote-draft"] == "draft"
    assert statuses["retired-kettle"] == "archived"
    assert statuses["größen-set_münchen"] == "active"
    assert not shop.with_name("shopify.csv.rejected.csv").exists()


def test_the_same_file_again_changes_nothing(
    api: BatchStandIn, shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    imported(shop, "--url", api.url, "--json")
    summary_of(capsys)
    events = api.events
    assert imported(shop, "--url", api.url, "--json") == 0
    summary = summary_of(capsys)
    assert (summary["created"], summary["changed"], summary["unchanged"]) == (0, 0, 8)
    assert api.events == events


def test_two_runs_share_no_idempotency_key(api: BatchStandIn, shop: Path) -> None:
    imported(shop, "--url", api.url)
    first = {key for key, _ in api.requests}
    api.requests.clear()
    api.products["gift-card"]["body"]["name"] = "Changed in between"
    imported(shop, "--url", api.url)
    assert not first & {key for key, _ in api.requests}
    assert api.products["gift-card"]["body"]["name"] == "Gift Card"


def test_an_archived_product_that_the_file_calls_active_is_restored(
    api: BatchStandIn, shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    imported(shop, "--url", api.url, "--json")
    summary_of(capsys)
    api.products["gift-card"]["status"] = "archived"
    assert imported(shop, "--url", api.url, "--json") == 0
    assert summary_of(capsys)["changed"] == 1
    assert api.products["gift-card"]["status"] == "active"


def test_an_api_that_does_not_tell_changed_from_unchanged_is_not_guessed_at(
    api: BatchStandIn, shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    api.says_changed = False
    imported(shop, "--url", api.url)
    assert "accepted: 8 (8 created, 0 changed, 0 unchanged)" in capsys.readouterr().out
    imported(shop, "--url", api.url)
    assert "8 updated or unchanged" in capsys.readouterr().out


@pytest.mark.parametrize("after_work", [False, True])
@pytest.mark.parametrize("status", [503, 429, 502, 408])
def test_a_request_that_failed_for_now_is_sent_again_with_its_key(
    api: BatchStandIn, shop: Path, capsys: pytest.CaptureFixture[str], status: int, after_work: bool
) -> None:
    api.faults = [Fault(status, {"retry-after": "0"}, after_work)]
    assert imported(shop, "--url", api.url, "--json") == 0
    first, second, *_ = api.requests
    assert first == second
    assert summary_of(capsys)["created"] == 8


def test_items_that_the_api_could_not_take_for_now_are_sent_again_with_the_key(
    api: BatchStandIn, shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    api.unavailable_items = 3
    assert imported(shop, "--url", api.url, "--json") == 0
    assert api.requests[0] == api.requests[1]
    assert summary_of(capsys)["created"] == 8


def test_an_api_that_stays_unavailable_fails_the_import(
    api: BatchStandIn, shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    api.faults = [Fault(503, {"retry-after": "0"}) for _ in range(20)]
    assert imported(shop, "--url", api.url) == 1
    assert "import failed: " in (said := capsys.readouterr().err)
    assert "503" in said
    assert len({key for key, _ in api.requests}) == 1


def test_no_api_at_the_address_is_one_clear_line(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert imported(shop, "--url", f"http://127.0.0.1:{port}") == 1
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert f"import failed: no API at http://127.0.0.1:{port}" in captured.err
    assert "is it running?" in captured.err


def test_something_else_at_the_address_is_refused(
    api: BatchStandIn, shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert imported(shop, "--url", f"{api.url}/elsewhere") == 1
    assert "404" in capsys.readouterr().err


def test_rejected_rows_go_to_a_file_with_their_reasons(
    api: BatchStandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = Path(shutil.copy(DATA / "shopify-bad.csv", tmp_path))
    assert imported(bad, "--url", api.url, "--json") == 3
    summary = summary_of(capsys)
    assert (summary["accepted"], summary["rejected"], summary["products"]) == (1, 16, 17)
    rejected = tmp_path / "shopify-bad.csv.rejected.csv"
    assert summary["rejected_file"] == str(rejected)
    with rejected.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        header, *rows = list(csv.reader(file))
    assert header[-1] == "reason"
    reasons = {row[0]: row[len(header) - 1] for row in rows}
    assert reasons["price-missing"] == "line 4: Variant Price is empty"
    assert [row[0] for row in rows].count("price-missing") == 2
    assert reasons["sku-of-another-product"] == (
        "sku-taken: line 17: SKU 'MUG-1' belongs to the product 'accepted-mug' (line 2 of this file)"
    )
    assert all(reasons.values())
    assert b"Caf\xe9" in rejected.read_bytes()


def test_a_reject_file_can_be_mended_and_loaded(
    api: BatchStandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = Path(shutil.copy(DATA / "shopify-bad.csv", tmp_path))
    imported(bad, "--url", api.url)
    rejected = tmp_path / "shopify-bad.csv.rejected.csv"
    rejected.write_bytes(rejected.read_bytes().replace(b"5,00", b"5.00").replace(b'"5.00"', b"5.00"))
    capsys.readouterr()
    assert imported(rejected, "--url", api.url, "--json") == 3
    assert summary_of(capsys)["accepted"] == 1
    again = tmp_path / "shopify-bad.csv.rejected.csv.rejected.csv"
    assert again.read_text("utf-8", "surrogateescape").splitlines()[0].count("reason") == 1


def test_a_reject_file_of_an_earlier_run_does_not_outlive_it(api: BatchStandIn, shop: Path) -> None:
    old = shop.with_name("shopify.csv.rejected.csv")
    old.write_text("from yesterday")
    assert imported(shop, "--url", api.url) == 0
    assert not old.exists()


def test_lines_of_ndjson_are_rejected_by_number(
    api: BatchStandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    price = {"amount": "1.00", "currency": "USD"}
    product = {"slug": "a", "name": "A", "variants": [{"sku": "A-1", "price": price}], "status": "active"}
    unwanted = {
        "slug": "b",
        "name": "B",
        "variants": [{"sku": "B-1", "price": price}],
        "tags": ["not-wanted"],
    }
    file = tmp_path / "products"
    file.write_text("\n".join([json.dumps(product), "", "{broken", json.dumps(unwanted)]))
    assert imported(file, "--url", api.url, "--json") == 3
    assert summary_of(capsys)["created"] == 1
    assert api.products["a"]["status"] == "active"
    rejects = [json.loads(line) for line in (tmp_path / "products.rejected.ndjson").read_text().splitlines()]
    assert [reject["line"] for reject in rejects] == [3, 4]
    assert rejects[0]["product"] == "{broken"
    assert rejects[1]["product"] == unwanted
    assert rejects[1]["reason"] == "validation-failed: line 4: tags[0] 'not-wanted': not wanted here"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"Handle;Title;Variant Price\na;A;1.00\n", "semicolons"),
        (b"Handle;Title, or name;Variant Price\na;A;1.00\n", "semicolons"),
        (b"Handle,Variant Price\na,1\n", "missing: Title"),
        (b"Handle,Title,Variant Price,handle\n", "twice"),
        (b'Handle,Title,Variant Price\na,"A,1.00\nb,B,1.00\n', "line 2"),
        (b'[{"slug": "a"}]', "one product per line"),
        ("Handle,Title\n".encode("utf-16"), "UTF-16"),
        ("Handle,Title\n".encode("utf-16-le"), "UTF-16"),
        ('{"slug": "a"}\n'.encode("utf-16-be"), "UTF-16"),
        (b"PK\x03\x04xl", "spreadsheet"),
        (b"\x1f\x8b\x08", "gzip"),
        (b'\xef\xbb\xbf\xef\xbb\xbf[{"slug": "a"}]', "one product per line"),
        (b'Handle,Title,Variant Price\na,"A" b,1.00\n', "line 2: text stands after a closing quote"),
    ],
)
def test_a_file_that_is_no_catalogue_fails_before_anything_is_sent(
    api: BatchStandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, said: str
) -> None:
    file = tmp_path / "file.csv"
    file.write_bytes(content)
    assert imported(file, "--url", api.url) == 1
    assert said in capsys.readouterr().err
    assert api.requests == []


def test_a_file_that_does_not_exist_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert imported(tmp_path / "nothing.csv") == 1
    assert "does not exist" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [(), ("f", "--currency", "XXY"), ("f", "--url", "localhost"), ("f", "--url", "http://h:x")]
)
def test_wrong_usage_is_exit_2(arguments: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as stopped:
        imported(*arguments)
    assert stopped.value.code == 2


def test_the_address_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    def default_url() -> object:
        parser = argparse.ArgumentParser()
        add_import_arguments(parser)
        return parser.parse_args(["f"]).url

    monkeypatch.delenv("COMMAND_URL", raising=False)
    monkeypatch.setenv("COMMAND_PORT", "8123")
    assert default_url() == "http://127.0.0.1:8123"
    monkeypatch.setenv("COMMAND_URL", "https://catalogue.example")
    assert default_url() == "https://catalogue.example"


def test_a_seeded_catalogue_loads_in_several_requests_and_again_without_a_change(
    api: BatchStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    add_seed_arguments(parser)
    args = parser.parse_args(["--count", "450", "--seed", "7", "--url", api.url, "--json"])
    assert run_seed(args) == 0
    assert summary_of(capsys)["created"] == 450
    upserts = [len(operations) for _, operations in api.requests if operations[0]["op"] == "upsert"]
    assert sorted(upserts) == [50, 200, 200]
    events = api.events
    assert run_seed(args) == 0
    assert summary_of(capsys)["unchanged"] == 450
    assert api.events == events
