"""`python -m command_api import` as an operator runs it, against the running system."""

import asyncio
import csv
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.catalogue import Catalogue, segment
from tests.end_to_end.evidence import newest_position
from tests.end_to_end.imports import DATA, import_process, products_by_slug, run_import, run_import_process
from tests.end_to_end.kafka_topics import Topics
from tests.end_to_end.system import System

pytestmark = pytest.mark.servers
SHOPIFY = {
    "ocean-blue-shirt": "active", "classic-varsity-top": "active", "größen-set_münchen": "active",
    "日本茶-煎茶": "active", "linen-tote-draft": "draft", "retired-kettle": "archived",
    "gift-card": "active", "merino-scarf": "active",
}  # fmt: skip


async def test_a_shopify_file_is_loaded_whole_and_a_second_time_nothing_changes(
    system: System, catalogue: Catalogue, tmp_path: Path
) -> None:
    start = await newest_position(system)
    shop = Path(shutil.copy(DATA / "shopify.csv", tmp_path))
    code, summary = await run_import_process(system, shop)
    assert (code, summary["accepted"], summary["created"], summary["rejected"]) == (0, 8, 8, 0)
    first = await products_by_slug(system, start)
    assert {slug: first[slug]["status"] for slug in SHOPIFY} == SHOPIFY
    topics = Topics(system.servers.kafka.bootstrap_servers, system.prefix)
    position, ends = await newest_position(system), await asyncio.to_thread(topics.end_offsets)

    code, summary = await run_import(system, shop)
    assert (code, summary["accepted"], summary["unchanged"]) == (0, 8, 8)
    assert await products_by_slug(system, start) == first
    assert await newest_position(system) == position
    assert await asyncio.to_thread(topics.end_offsets) == ends
    assert not shop.with_name("shopify.csv.rejected.csv").exists()
    await must_be_readable(catalogue, first)


async def must_be_readable(catalogue: Catalogue, products: dict[str, dict[str, Any]]) -> None:
    """By id, slug, every SKU and the lists; HTML and text beyond ASCII as they stand in the file."""
    for slug in SHOPIFY:
        product = products[slug]
        paths = [product["id"], f"by-slug/{segment(slug)}"]
        paths += [f"by-sku/{segment(variant['sku'])}" for variant in product["variants"]]
        for path in paths:
            found = await catalogue.read_as_it_is(f"/v1/products/{path}")
            assert (found.status_code, found.json()) == (200, product), path
    shirt, boot = products["ocean-blue-shirt"], products["größen-set_münchen"]
    assert shirt["description"] == (
        "<p>Ocean blue cotton shirt with a narrow collar and buttons down the front.</p>\n"
        '<p>Length: 28", "slim" fit.</p>\n<ul>\n<li>Machine wash, 30 °C</li>\n</ul>'
    )
    assert shirt["tags"] == ["men", "cotton", "Summer \N{RIGHT SINGLE QUOTATION MARK}26"]
    assert [variant["sku"] for variant in shirt["variants"]] == ["OBS-S", "OBS-M", _large(shirt), "OBS-XL"]
    assert (boot["name"], boot["brand"]) == ("Wanderschuh »München«", "Söhne & Töchter GmbH")
    assert boot["variants"][0]["options"] == {"Größe": "42 ½"}
    assert products["日本茶-煎茶"]["description"] == "<p>静岡県産の一番茶です。</p>"
    assert products["日本茶-煎茶"]["variants"][0]["sku"] == "茶/煎茶 100"
    for query, slug in (
        (f"category={segment('sport/schuhe')}", "größen-set_münchen"),
        (f"brand={segment('茶舗 山本')}", "日本茶-煎茶"),
        (f"tag={segment('Größe')}", "größen-set_münchen"),
        (f"sku={segment('茶/煎茶 200')}", "日本茶-煎茶"),
        ("status=archived&brand=Hearth", "retired-kettle"),
    ):
        listed = await catalogue.read_as_it_is(f"/v1/products?{query}")
        assert [item["slug"] for item in listed.json()["items"]] == [slug], query


def _large(shirt: dict[str, Any]) -> str:
    """The variant of the row without a SKU gets one from the handle and its options."""
    sku: str = shirt["variants"][2]["sku"]
    assert sku == "ocean-blue-shirt-l-ocean-blue"
    return sku


async def test_rejected_rows_are_kept_with_their_reasons_and_can_be_mended(
    system: System, catalogue: Catalogue, tmp_path: Path
) -> None:
    start = await newest_position(system)
    bad = Path(shutil.copy(DATA / "shopify-bad.csv", tmp_path))
    code, summary = await run_import(system, bad)
    assert (code, summary["accepted"], summary["rejected"]) == (3, 1, 16)
    rejected = bad.with_name("shopify-bad.csv.rejected.csv")
    assert summary["rejected_file"] == str(rejected)
    with rejected.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        rows = list(csv.DictReader(file))
    reasons = {row["Handle"]: row["reason"] for row in rows}
    assert "Variant Price is empty" in reasons["price-missing"]
    assert "MUG-1" in reasons["sku-of-another-product"]
    assert all(row["reason"] for row in rows)
    products = await products_by_slug(system, start)
    assert products["accepted-mug"]["status"] == "active"
    assert products.keys().isdisjoint(reasons.keys() - {""})

    mended = tmp_path / "mended.csv"
    kept = [row for row in rows if row["Handle"] == "price-with-comma"]
    with mended.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), extrasaction="ignore")
        writer.writeheader()
        writer.writerows({**row, "Variant Price": "5.00"} for row in kept)
    code, summary = await run_import(system, mended)
    assert (code, summary["created"], summary["rejected"]) == (0, 1, 0)
    products = await products_by_slug(system, start)
    assert products["price-with-comma"]["variants"][0]["price"]["amount"] == "5.00"
    found = await catalogue.read_as_it_is("/v1/products/by-sku/PC-1")
    assert found.status_code == 200


async def test_an_import_of_nothing_or_to_nowhere_has_its_own_exit_codes(tmp_path: Path) -> None:
    shop = shutil.copy(DATA / "shopify.csv", tmp_path)
    wrong = {
        (str(tmp_path / "missing.csv"),): 1,
        (str(shop), "--url", "nowhere"): 2,
        (str(shop), "--url", "http://127.0.0.1:1"): 1,
    }
    ended = await asyncio.gather(*(import_process(*arguments) for arguments in wrong))
    for code, (ended_with, _, complained) in zip(wrong.values(), ended, strict=True):
        assert (ended_with, b"Traceback" in complained) == (code, False), complained
        assert complained
