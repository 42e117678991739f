"""Files that state a part of each product: what they do not state is kept; and what the summary tells."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.importer.batch_stand_in import BatchStandIn
from tests.unit.importer.import_runs import imported

FULL = (
    "Handle,Title,Body (HTML),Vendor,Type,Tags,Option1 Name,Option1 Value,Variant SKU,Variant Grams,"
    "Variant Barcode,Variant Price,Variant Compare At Price,Image Src,Status\n"
    'lamp,Lamp,<p>Warm</p>,Maker,Lamps,"a,b",Size,S,L-S,50,123,5.00,9.00,https://x/l.jpg,active\n'
    "lamp,,,,,,,M,L-M,60,124,6.00,,,\n"
)


class Shop:
    """A file that is written and loaded again and again."""

    def __init__(self, api: BatchStandIn, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.api = api
        self._file = folder / "shop.csv"
        self._capsys = capsys

    def load(self, content: str, *arguments: str) -> dict[str, Any]:
        self._capsys.readouterr()
        self._file.write_text(content, encoding="utf-8")
        self.exit_code = imported(self._file, "--url", self.api.url, "--json", *arguments)
        summary: dict[str, Any] = json.loads(self._capsys.readouterr().out)
        return summary

    def text_of(self, content: str) -> str:
        self._capsys.readouterr()
        self._file.write_text(content, encoding="utf-8")
        imported(self._file, "--url", self.api.url)
        return self._capsys.readouterr().out

    def reasons(self) -> str:
        file = self._file.with_name("shop.csv.rejected.csv")
        return file.read_text("utf-8") if file.exists() else ""

    def body(self, slug: str = "lamp") -> dict[str, Any]:
        body: dict[str, Any] = json.loads(json.dumps(self.api.products[slug]["body"]))
        return body


@pytest.fixture
def shop(api: BatchStandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    return Shop(api, tmp_path, capsys)


def test_a_file_of_prices_alone_changes_prices_alone(shop: Shop) -> None:
    shop.load(FULL)
    before = shop.body()
    prices = "Handle,Title,Variant SKU,Variant Price\nlamp,Lamp,L-S,7.00\nlamp,,L-M,6.00\n"
    assert shop.load(prices)["changed"] == 1
    before["variants"][0]["price"]["amount"] = "7.00"
    assert shop.body() == before
    assert shop.api.products["lamp"]["status"] == "active"
    assert shop.load(prices)["unchanged"] == 1


def test_attributes_that_somebody_patched_in_survive_the_same_file(shop: Shop) -> None:
    shop.load(FULL)
    shop.api.products["lamp"]["body"]["attributes"] = {"socket": "E27"}
    events = shop.api.events
    assert shop.load(FULL)["unchanged"] == 1
    assert shop.body()["attributes"] == {"socket": "E27"}
    assert shop.api.events == events


def test_an_empty_cell_of_a_column_that_is_there_clears(shop: Shop) -> None:
    shop.load(FULL)
    shop.load(
        "Handle,Title,Vendor,Type,Tags,Option1 Value,Option1 Name,Variant SKU,Variant Barcode,Variant Price\n"
        "lamp,Lamp,,,,S,Size,L-S,,5.00\n"
    )
    body = shop.body()
    assert (body["brand"], body["product_type"], body["tags"]) == (None, None, [])
    assert [variant["barcode"] for variant in body["variants"]] == [None]
    assert body["variants"][0]["weight_grams"] == 50
    assert body["description"] == "<p>Warm</p>"


def test_a_file_without_a_column_of_variants_leaves_them_alone(shop: Shop) -> None:
    shop.load(FULL)
    before = shop.body()
    assert shop.load("Handle,Title,Tags\nlamp,Lamp,new\n")["changed"] == 1
    assert shop.body() == before | {"tags": ["new"]}
    assert shop.load("Handle,Title\nnew,New\n")["rejected"] == 1
    assert "line 2: variants: a new product needs at least one, with a price" in shop.reasons()


def test_a_file_without_prices_keeps_them_and_a_new_variant_is_refused(shop: Shop) -> None:
    shop.load(FULL)
    shop.load("Handle,Title,Variant SKU,Variant Grams\nlamp,Lamp,L-S,51\nlamp,,L-M,61\n")
    told = [(each["price"]["amount"], each["weight_grams"]) for each in shop.body()["variants"]]
    assert told == [("5.00", 51), ("6.00", 61)]
    assert shop.load("Handle,Title,Variant SKU\nlamp,Lamp,L-S\nlamp,,NEW\n")["rejected"] == 1
    assert "variant-needs-price: line 3: Variant Price" in shop.reasons()


def test_without_skus_and_options_the_only_variant_is_meant_and_of_two_none(shop: Shop) -> None:
    shop.load("Handle,Title,Variant SKU,Variant Price\ncup,Cup,CUP-1,5\n")
    assert shop.load("Handle,Title,Variant Price\ncup,Cup,6\n")["changed"] == 1
    assert [(each["sku"], each["price"]["amount"]) for each in shop.body("cup")["variants"]] == [
        ("CUP-1", "6.00")
    ]
    shop.load("Handle,Title,Variant Price\ncup,Cup,6\ncup,,7\n")
    assert "variant-ambiguous: line 2: " in shop.reasons()


def test_variants_are_in_the_order_of_the_rows(shop: Shop) -> None:
    header = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\n"
    shop.load(f"{header}a,A,Size,S,S,1\na,,,L,L,1\n")
    shop.load(f"{header}a,A,Size,S,S,1\na,,,M,M,1\na,,,L,L,1\n")
    assert [variant["sku"] for variant in shop.body("a")["variants"]] == ["S", "M", "L"]


def test_made_skus_stay_with_their_options_when_the_rows_are_turned(shop: Shop) -> None:
    header = "Handle,Title,Option1 Name,Option1 Value,Variant Price\n"
    shop.load(f"{header}a,A,Colour,★,1\na,,,☆,2\n")
    before = {each["sku"]: each for each in shop.body("a")["variants"]}
    shop.load(f"{header}a,A,Colour,☆,2\na,,,★,1\n")
    assert {each["sku"]: each for each in shop.body("a")["variants"]} == before


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("Standard Product Type,Custom Product Type", "Apparel > Shoes,Boots"),
        ("Standardized Product Type,Custom Product Type", "Apparel > Shoes,Boots"),
        ("Product Category,Standard Product Type,Type,Custom Product Type", "Apparel > Shoes,Old,Boots,Old"),
        ("Product Category,Standard Product Type,Type,Custom Product Type", ",Apparel > Shoes,,Boots"),
        ("Product category,Type", "Apparel > Shoes,Boots"),
    ],
)
def test_category_and_type_are_read_under_every_name_that_they_had(
    shop: Shop, header: str, cells: str
) -> None:
    summary = shop.load(f"Handle,Title,{header},Variant Price\nboot,Boot,{cells},5\n")
    assert (shop.body("boot")["category"], shop.body("boot")["product_type"]) == ("apparel/shoes", "Boots")
    assert summary["unknown_columns"] == []


def test_a_file_without_status_says_that_its_new_products_are_drafts(shop: Shop) -> None:
    content = "Handle,Title,Variant Price\na,A,1\nb,B,1\n"
    assert shop.load(content)["created_without_status"] == {"count": 2, "first": ["a", "b"]}
    assert shop.load(content)["created_without_status"]["count"] == 0
    said = shop.text_of("Handle,Title,Variant Price\nc,C,1\n")
    assert "new products that stay drafts, because the file states no status: 1 (c)" in said


def test_a_draft_over_a_published_product_is_told(shop: Shop) -> None:
    header = "Handle,Title,Variant Price,Status\n"
    shop.load(f"{header}a,A,1,active\nb,B,1,archived\nc,C,1,draft\n")
    summary = shop.load(f"{header}a,A,1,draft\nb,B,1,draft\nc,C,1,draft\n")
    assert summary["drafts_left_as_they_are"] == {"count": 2, "first": ["a: active", "b: archived"]}
    assert (summary["unchanged"], shop.api.products["a"]["status"]) == (3, "active")
    assert "their status was left as it is: 2 (a: active, b: archived)" in shop.text_of(
        f"{header}a,A,1,draft\nb,B,1,draft\n"
    )


def test_an_unlisted_product_is_a_draft_and_told(shop: Shop) -> None:
    summary = shop.load("Handle,Title,Variant Price,Status\na,A,1,Unlisted\n")
    assert (summary["created"], summary["unlisted"]) == (1, {"count": 1, "first": ["a"]})
    assert shop.api.products["a"]["status"] == "draft"


@pytest.mark.parametrize("published", ["", "TRUE"])
def test_an_empty_published_publishes(shop: Shop, published: str) -> None:
    shop.load(f"Handle,Title,Published,Variant Price\na,A,{published},1\n")
    assert shop.api.products["a"]["status"] == "active"


def test_handles_with_signs_are_told_with_the_slugs_that_they_became(shop: Shop) -> None:
    rows = "".join(f"Tea™ {number},T,1\n" for number in range(7))
    summary = shop.load(f"Handle,Title,Variant Price\n{rows}")
    assert summary["made_slugs"]["count"] == 7
    assert summary["made_slugs"]["first"][0] == "Tea™ 0 -> tea-0"
    said = shop.text_of(f"Handle,Title,Variant Price\n{rows}")
    assert "slugs made of the words of a handle: 7 (Tea™ 0 -> tea-0, " in said
    assert ", …)" in said


def test_a_sku_that_stands_twice_is_told_with_its_lines(shop: Shop) -> None:
    header = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\n"
    shop.load(
        f"{header}a,A,Size,S,case-f20,1\na,,,L,case-f20,1\nb,B,Size,S,caf\u00e9,1\nb,,,L,cafe\u0301,1\n"
    )
    assert "SKU 'case-f20' stands on lines 2 and 3" in shop.reasons()
    assert "SKU 'caf\u00e9' stands on lines 4 and 5" in shop.reasons()


def test_a_cell_over_the_limit_costs_its_product_alone(shop: Shop) -> None:
    huge = "x" * (4 * 1024 * 1024 + 1)
    rows = f'a,A,"{huge}",1\nb,B,ok,1\nc,C,"{huge}\n{huge * 4}\n",1\nd,D,,1\n'
    summary = shop.load(f"Handle,Title,Body (HTML),Variant Price\n{rows}")
    assert (summary["created"], summary["rejected"], shop.exit_code) == (2, 2, 3)
    reasons = shop.reasons()
    assert "line 2: Body (HTML) has 4,194,305 characters, more than 4,194,304" in reasons
    assert "line 4: the row is too long; only its beginning was kept" in reasons


def test_addresses_of_images_may_be_in_capitals_or_without_a_scheme(shop: Shop) -> None:
    shop.load(
        "Handle,Title,Variant Price,Image Src,Variant Image\n"
        "a,A,1,HTTPS://cdn.example/A.jpg,//cdn.example/B.jpg\na,,,https://cdn.example/A.jpg,\n"
    )
    assert [image["url"] for image in shop.body("a")["images"]] == [
        "https://cdn.example/A.jpg",
        "https://cdn.example/B.jpg",
    ]


def test_columns_that_were_aligned_by_hand_are_read(shop: Shop) -> None:
    shop.load('Handle     ,Title  ,Body (HTML)     ,Variant Price\naligned ,Aligned,"<p>a, b</p>"    ,5.00\n')
    assert shop.body("aligned")["description"] == "<p>a, b</p>"


def test_every_event_of_a_run_is_marked_with_the_same_import_id(shop: Shop) -> None:
    shop.load("Handle,Title,Variant Price,Status\na,A,1,active\n")
    (first,) = shop.api.import_ids
    assert first.isascii()
    assert 1 <= len(first) <= 64
    shop.load("Handle,Title,Variant Price,Status\na,A,2,active\n")
    assert len(shop.api.import_ids) == 2


def test_a_repeated_header_between_files_that_were_put_together_is_skipped(shop: Shop) -> None:
    header = "Handle,Title,Variant Price\n"
    assert shop.load(f"{header}a,A,1\n\ufeff{header}b,B,1\n")["created"] == 2


@pytest.mark.parametrize("scheme", ["HTTP://", "http://", "hTTp://"])
def test_the_address_of_the_api_may_be_in_capitals(shop: Shop, scheme: str) -> None:
    shop.api.url = shop.api.url.replace("http://", scheme)
    assert shop.load("Handle,Title,Variant Price\na,A,1\n")["created"] == 1
