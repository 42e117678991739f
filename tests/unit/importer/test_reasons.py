"""Refusals of the API in the words of the file: line, column, value."""

import json
from pathlib import Path
from typing import Any

import pytest

from command_api.importer.answers import ItemAnswer
from command_api.importer.ndjson import candidate_of
from command_api.importer.reasons import explained
from command_api.importer.shopify_file import ShopifyFile
from command_api.importer.source import Candidate, lines_text

CSV = """URL handle,Title,Option1 name,Option1 value,SKU,Price,Product image URL,Tags
mug,Mug,Size,S,M-S,5,ftp://x/1.jpg,"a,b"
mug,,,M,M-M,6,https://x/2.jpg,
mug,,,,,,https://x/3.jpg,
"""


@pytest.fixture
def mug(tmp_path: Path) -> Candidate:
    file = tmp_path / "shop.csv"
    file.write_text(CSV)
    (read,) = ShopifyFile(file, "USD")
    assert isinstance(read, Candidate)
    return read


def refused(candidate: Candidate, **problem: Any) -> str:
    answer = ItemAnswer(422, code=problem["code"], problem=problem)
    return explained(answer, candidate, {"cup": 9}.get)


@pytest.mark.parametrize(
    ("pointer", "code", "detail", "said"),
    [
        (
            "/product/variants/1/sku",
            "value-error",
            "Value error, not printable",
            "line 3: SKU 'M-M': not printable",
        ),
        (
            "/product/variants/0/price/amount",
            "string-pattern-mismatch",
            "…",
            "line 2: Price '5.00': is no decimal amount such as 50.00",
        ),
        (
            "/product/variants/1/options/Size",
            "string-too-long",
            "too long",
            "line 3: Option 'Size' 'M': too long",
        ),
        (
            "/product/variants",
            "too-long",
            "List should have at most 250 items after validation, not 260",
            "lines 2 and 3: variants: should have at most 250 items, not 260",
        ),
        (
            "/product/images/0/url",
            "string-pattern-mismatch",
            "…",
            "line 2: Product image URL 'ftp://x/1.jpg': is no http or https address",
        ),
        ("/product/images/2/alt", "string-too-long", "too long", "line 4: Image Alt Text: too long"),
        ("/product/tags/1", "string-too-long", "too long", "line 2: Tags 'b': too long"),
        ("/product/name", "string-too-long", "too long", "line 2: Title 'Mug': too long"),
        ("/product/slug", "string-too-long", "too long", "line 2: URL handle 'mug': too long"),
        (
            "/product/brand",
            "missing",
            "Field required",
            "lines 2 to 4: Vendor: is required, and the file does not state it",
        ),
        ("", "model-type", "Input should be an object", "lines 2 to 4: product: should be an object"),
    ],
)
def test_a_pointer_becomes_the_line_the_column_and_the_value(
    mug: Candidate, pointer: str, code: str, detail: str, said: str
) -> None:
    errors = [{"pointer": pointer, "code": code, "detail": detail}]
    assert refused(mug, code="validation-failed", errors=errors) == f"validation-failed: {said}"


def test_a_refusal_without_a_pointer_names_the_lines_of_the_product(mug: Candidate) -> None:
    said = refused(mug, code="product-too-large", detail="the document would be 600000 bytes")
    assert said == "product-too-large: lines 2 to 4: the document would be 600000 bytes"


def test_an_answer_without_a_problem_names_lines_and_status(mug: Candidate) -> None:
    assert explained(ItemAnswer(500), mug, lambda _: None) == "lines 2 to 4: status 500"


def test_every_taken_sku_is_told_with_its_line_and_its_holder(mug: Candidate) -> None:
    conflicts = [
        {"sku": "M-M", "product_id": "1", "slug": "cup"},
        {"sku": "M-S", "product_id": "2", "slug": "bowl"},
        {"sku": "made", "slug": "bowl"},
        {"sku": "M-S"},
    ]
    assert refused(mug, code="sku-taken", conflicts=conflicts) == (
        "sku-taken: line 3: SKU 'M-M' belongs to the product 'cup' (line 9 of this file); "
        "line 2: SKU 'M-S' belongs to the product 'bowl' (not in this file); "
        "lines 2 to 4: SKU 'made' belongs to the product 'bowl' (not in this file); "
        "line 2: SKU 'M-S' belonged to another product, which has just gone: load it again"
    )


def test_in_ndjson_the_path_is_named() -> None:
    read = candidate_of(7, b'{"slug": "a", "name": "A", "variants": [{"sku": "x\\ty"}], "extra": 1}')
    assert isinstance(read, Candidate)
    errors = [
        {"pointer": "/product/variants/0/sku", "code": "value-error", "detail": "Value error, no tabs"},
        {"pointer": "/product/extra", "code": "extra-forbidden", "detail": "Extra inputs are not permitted"},
    ]
    assert refused(read, code="validation-failed", errors=errors) == (
        r"validation-failed: line 7: variants[0].sku 'x\ty': no tabs; "
        "line 7: extra 1: is no field of a product"
    )


@pytest.mark.parametrize(
    "pointer", ["variants", "/product/variants/9/sku", "/product/~1~0", "/product/variants/x"]
)
def test_any_pointer_is_told_somehow(mug: Candidate, pointer: str) -> None:
    errors: list[Any] = [{"pointer": pointer, "detail": "odd"}, "no object"]
    assert "odd" in refused(mug, code="c", errors=errors)
    assert "odd" in refused(mug, code="c", detail="odd", errors="none", conflicts=7)


def test_a_long_value_is_shown_by_its_beginning_and_null_as_null() -> None:
    name = "n" * 300
    read = candidate_of(7, json.dumps({"slug": "a", "name": name, "brand": None}).encode())
    assert isinstance(read, Candidate)
    errors = [
        {"pointer": "/product/name", "code": "string-too-long", "detail": "String should be shorter"},
        {"pointer": "/product/brand", "code": "string-type", "detail": "Input should be a valid string"},
    ]
    assert refused(read, code="c", errors=errors) == (
        f"c: line 7: name '{name[:79]}…: should be shorter; line 7: brand null: should be a valid string"
    )


def test_lines_are_told_in_as_few_words_as_possible() -> None:
    assert lines_text((2,)) == "line 2"
    assert lines_text((2, 3)) == "lines 2 and 3"
    assert lines_text((2, 5, 9)) == "lines 2, 5 and 9"
    assert lines_text((2, 3, 4)) == "lines 2 to 4"
