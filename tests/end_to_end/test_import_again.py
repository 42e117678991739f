"""Imports of several files: values that a file does not state are kept, and a second run changes nothing."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.catalogue import Catalogue
from tests.end_to_end.evidence import newest_position
from tests.end_to_end.imports import DATA, products_by_slug, run_import
from tests.end_to_end.system import System

pytestmark = pytest.mark.servers


async def loaded(system: System, folder: Path, name: str) -> dict[str, Any]:
    """The summary of an import that accepts every product."""
    code, summary = await run_import(system, Path(shutil.copy(DATA / "import" / name, folder)))
    assert (code, summary["rejected"]) == (0, 0), summary
    return summary


async def must_change_nothing(system: System, folder: Path, name: str) -> None:
    position = await newest_position(system)
    summary = await loaded(system, folder, name)
    assert (summary["unchanged"], await newest_position(system)) == (summary["products"], position)


async def test_a_file_of_prices_keeps_all_else_and_a_patch_survives_the_full_file(
    system: System, catalogue: Catalogue, tmp_path: Path
) -> None:
    start = await newest_position(system)
    await loaded(system, tmp_path, "full.csv")
    desk = (await products_by_slug(system, start))["again-desk"]
    assert (desk["category"], desk["product_type"]) == ("furniture/desks", "Desks")
    assert desk["images"][0]["url"] == "https://images.example.com/desk.jpg"
    told = [(each["sku"], each["barcode"], each["weight_grams"]) for each in desk["variants"]]
    assert told == [("8800120", "4006381333931", 24500), ("8800160", "4006381333948", 30100)]
    patch = {"attributes": {"wood": "oak"}}
    assert (await catalogue.write("PATCH", f"/v1/products/{desk['id']}", patch)).status_code == 200
    await must_change_nothing(system, tmp_path, "full.csv")

    assert (await loaded(system, tmp_path, "prices-only.csv"))["changed"] == 1
    now = (await products_by_slug(system, start))["again-desk"]
    assert now["variants"][0]["price"]["amount"] == "239.00"
    now["variants"][0]["price"]["amount"] = "249.00"
    changing = {"version", "updated_at", "attributes"}
    assert now["attributes"] == {"wood": "oak"}
    assert {key: value for key, value in now.items() if key not in changing} == {
        key: value for key, value in desk.items() if key not in changing
    }
    await must_change_nothing(system, tmp_path, "prices-only.csv")


async def test_skus_are_handed_over_and_swapped_in_one_run(
    system: System, catalogue: Catalogue, tmp_path: Path
) -> None:
    start = await newest_position(system)
    await loaded(system, tmp_path, "handed-before.csv")
    summary = await loaded(system, tmp_path, "handed-after.csv")
    assert (summary["created"], summary["changed"]) == (0, 4)
    products = await products_by_slug(system, start)
    holders = {product["variants"][0]["sku"]: slug for slug, product in products.items()}
    assert {sku: slug for sku, slug in holders.items() if sku.startswith("again-")} == {
        "again-G": "again-taker",
        "again-N": "again-giver",
        "again-R": "again-left",
        "again-L": "again-right",
    }
    for sku, slug in holders.items():
        if sku.startswith("again-"):
            found = await catalogue.read_as_it_is(f"/v1/products/by-sku/{sku}")
            assert found.json()["slug"] == slug
    assert products["again-right"]["status"] == "active"
    await must_change_nothing(system, tmp_path, "handed-after.csv")


async def test_made_skus_stay_with_their_options_and_variants_follow_the_rows(
    system: System, tmp_path: Path
) -> None:
    start = await newest_position(system)
    await loaded(system, tmp_path, "made-skus.csv")
    before = (await products_by_slug(system, start))["again-किताब"]["variants"]
    await must_change_nothing(system, tmp_path, "made-skus.csv")
    await loaded(system, tmp_path, "made-skus-turned.csv")
    after = (await products_by_slug(system, start))["again-किताब"]["variants"]
    assert after == before[::-1]
    await must_change_nothing(system, tmp_path, "made-skus-turned.csv")
