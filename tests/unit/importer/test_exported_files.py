"""What is exported is read back as the same products, whatever they are."""

import csv
import io
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from command_api.http.schemas import ProductIn
from command_api.importer.ndjson import NdjsonFile
from command_api.importer.shopify_file import ShopifyFile
from command_api.importer.source import Candidate, Rejection
from query_api.export.formats import CSV, NDJSON, Format
from query_api.export.shopify_cells import COLUMNS
from query_api.export.shopify_exact import exact_rows
from query_api.export.shopify_quick import QuickProduct, quick_rows
from shared.contract.events import Image, Money, Variant
from shared.contract.text import normal_text
from shared.contract.views import ProductDocument, encode_document
from tests.benchmarks.catalogue import documents
from tests.integration.query_world import START

AMOUNTS = {"USD": "12.50", "EUR": "0.10", "JPY": "1200", "KWD": "23.900", "CLF": "1.1000"}
# The characters and words that readers of CSV, and this reader, treat in a way of their own.
_odd = st.sampled_from(
    [
        '"', '""', ",", "\n", "\r\n", "\r", "\t", " ", ";", "'", "=", "+", "-", "@", "\ufeff", "\u2028",
        "\x85", "\x1f", "\xa0", "\\", ">", "/", "'0123", '="0123"', "6.14141E+11", "Default Title", "Title",
        "sep=;", "é", "e\u0301", "ß", "日本", "😀", "TRUE", "1.50", "A", "b", "Handle",
    ]
)  # fmt: skip
_texts = st.lists(
    st.one_of(_odd, st.characters(exclude_categories=["Cs"], exclude_characters="\0")), max_size=5
)
text = _texts.map("".join)
# A name has a letter that is seen, and anything around it.
names = st.builds("{}x{}".format, text, text).map(normal_text)
codes = names.map(lambda name: "".join(filter(str.isprintable, name)))
slugs = st.from_regex(r"[aßé日0][a_日-]{0,5}[a0]", fullmatch=True).map(normal_text)
words = st.sampled_from(["a", "shirts", "Shirts", "a b", "ärmel", "a-", "x > y", "日本"])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | text
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
currencies = st.sampled_from(sorted(AMOUNTS))
money = currencies.map(lambda currency: Money(AMOUNTS[currency], currency))
variants = st.builds(
    Variant,
    sku=codes,
    options=st.dictionaries(st.sampled_from(["Size", "Title", "Colour", " x"]) | names,
                            st.sampled_from(["Default Title", "M"]) | names, max_size=4),
    price=money,
    compare_at_price=st.none() | money,
    barcode=st.none() | names,
    weight_grams=st.none() | st.integers(0, 1_000_000_000),
)  # fmt: skip
images = st.builds(
    Image,
    url=st.text("aB/?\"',;", max_size=5).map("https://a/{}".format),
    alt=st.none() | text,
)
products = st.builds(
    ProductDocument,
    id=st.just(UUID(int=1)),
    version=st.just(3),
    status=st.sampled_from(["draft", "active", "archived"]),
    slug=slugs,
    name=names,
    description=st.none() | text,
    brand=st.none() | names,
    product_type=st.none() | names,
    category=st.none() | st.lists(words, min_size=1, max_size=3).map("/".join),
    tags=st.lists(names, max_size=3, unique=True).map(tuple),
    attributes=st.dictionaries(text, values, max_size=3),
    images=st.lists(images, max_size=3).map(tuple),
    variants=st.lists(variants, min_size=1, max_size=3, unique_by=lambda one: one.sku).map(tuple),
    created_at=st.just(START),
    updated_at=st.just(START),
    published_at=st.none(),
)


def _read(path: Path, wanted: Format, documents: list[ProductDocument]) -> list[Candidate | Rejection]:
    lines = b"".join(encode_document(one) + b"\n" for one in documents)
    path.write_bytes(wanted.start + wanted.rows(lines))
    return list(ShopifyFile(path, "USD") if wanted is CSV else NdjsonFile(path))


def _as_sent(document: ProductDocument) -> dict[str, Any]:
    """All that an import can set, as the API's models take it."""
    whole = msgspec.json.decode(encode_document(document))
    return {field: whole[field] for field in ProductIn.model_fields}


def _assert_same(read: Candidate | Rejection, document: ProductDocument) -> None:
    assert isinstance(read, Candidate), read
    sent = {**read.product, "attributes": read.product.get("attributes") or {}}
    assert sent == _as_sent(document)
    for variant, own in zip(sent["variants"], document.variants, strict=True):
        assert list(variant["options"]) == list(own.options)
    assert read.wanted_status == document.status


@pytest.mark.parametrize("wanted", [CSV, NDJSON], ids=lambda one: one.name)
@settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(document=products)
def test_an_exported_product_is_read_back_as_it_was(
    tmp_path: Path, wanted: Format, document: ProductDocument
) -> None:
    ProductIn.model_validate(_as_sent(document))
    (read,) = _read(tmp_path / "export", wanted, [document])
    _assert_same(read, document)


@settings(max_examples=300, deadline=None)
@given(document=products)
def test_the_rows_are_those_of_pythons_csv_writer(document: ProductDocument) -> None:
    """So quotation marks are only where they have to be, and each row has all columns."""
    rows = CSV.rows(encode_document(document) + b"\n").decode()
    cells = list(csv.reader(io.StringIO(rows, newline="")))
    assert {len(row) for row in cells} == {len(COLUMNS)}
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\r\n").writerows(cells)
    assert rows == written.getvalue()


def _usual(**fields: Any) -> ProductDocument:
    usual = {
        "id": UUID(int=1),
        "version": 3,
        "status": "active",
        "slug": "cup",
        "name": "Cup",
        "description": None,
        "brand": None,
        "product_type": None,
        "category": "home/cups",
        "tags": (),
        "attributes": {},
        "images": (),
        "variants": (Variant("CUP", {}, Money("5.00", "EUR")),),
        "created_at": START,
        "updated_at": START,
        "published_at": None,
    }
    return ProductDocument(**{**usual, **fields})


def _quick(document: ProductDocument) -> str | None:
    return quick_rows(msgspec.json.decode(encode_document(document), type=QuickProduct))


def _has_exact_fields(rows: str) -> bool:
    (row, *_) = csv.DictReader(io.StringIO(rows, newline=""), fieldnames=COLUMNS)
    return row["Exact Fields (JSON)"] != ""


@settings(max_examples=200, deadline=None)
@given(
    odd=products,
    field=st.sampled_from(["name", "description", "brand", "product_type", "category", "tags", "images"]),
    part=st.sampled_from(["sku", "options", "price", "compare_at_price", "barcode"]),
)
def test_quick_rows_are_those_of_the_closer_look(odd: ProductDocument, field: str, part: str) -> None:
    """Products that are odd in one place: those that are odd everywhere are never made quickly."""
    usual = Variant("CUP", {"Size": "M"}, Money("5.00", "EUR"))
    other = msgspec.structs.replace(usual, **{part: getattr(odd.variants[0], part)})
    for document in (
        _usual(**{field: getattr(odd, field)}),
        _usual(variants=(other,)),
        _usual(variants=(usual, other)),
    ):
        assert _quick(document) in (None, exact_rows(encode_document(document)))


def test_a_made_up_catalogue_is_made_quickly() -> None:
    """Otherwise an export would take three times as long, and nothing else would tell."""
    slow = [one.name for one in islice(documents(1_000), 1_000) if _quick(one) is None]
    assert slow == []


def _variant(sku: str = "CUP", options: dict[str, str] | None = None, **more: Any) -> Variant:
    return Variant(sku, {"Size": "M"} if options is None else options, Money("5.00", "EUR"), **more)


@pytest.mark.parametrize(
    "fields",
    [
        {"name": " Cup"},
        {"description": " "},
        {"brand": ""},
        {"product_type": "Cups "},
        {"category": "Home/cups"},
        {"tags": ("a,b",)},
        {"tags": ("a", "")},
        {"images": (Image("https://a/", None), Image("https://a/", None))},
        {"images": (Image("https://a/", " front"),)},
        {"variants": (_variant("'1"),)},
        {"variants": (_variant("6.14141E+11"),)},
        {"variants": (_variant(barcode="=1"),)},
        {"variants": (_variant(options={"Size": "M "}),)},
        {"variants": (_variant(options={" Size": "M"}),)},
        {"variants": (_variant(options={"Title": "Default Title"}),)},
        {"variants": (_variant(options=dict.fromkeys("abcd", "M")),)},
        {"variants": (_variant(options={"a": "1", "b": "2"}), _variant("B", {"b": "1", "a": "2"}))},
        {"variants": (_variant(compare_at_price=Money("6.00", "USD")),)},
    ],
)
def test_what_shopifys_cells_cannot_hold_is_not_made_quickly(fields: dict[str, Any]) -> None:
    document = _usual(**fields)
    assert _has_exact_fields(exact_rows(encode_document(document)))
    assert _quick(document) is None


def test_a_usual_product_is_in_shopifys_columns_alone(tmp_path: Path) -> None:
    _read(tmp_path / "export", CSV, [_usual(tags=("a", "b"), attributes={"colour": "blue"})])
    (row,) = csv.DictReader(io.StringIO((tmp_path / "export").read_text()))
    assert {name: cell for name, cell in row.items() if cell} == {
        "Handle": "cup",
        "Title": "Cup",
        "Product Category": "home > cups",
        "Tags": "a, b",
        "Published": "TRUE",
        "Option1 Name": "Title",
        "Option1 Value": "Default Title",
        "Variant SKU": "CUP",
        "Variant Price": "5.00",
        "Variant Currency": "EUR",
        "Status": "active",
        "Attributes (JSON)": '{"colour":"blue"}',
    }


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("5.00,,EUR", "6.00,,EUR", "line 2: Variant Price is not that of Exact Fields (JSON)"),
        ("'0123,,5", "'0124,,5", "line 2: Variant SKU is not that of Exact Fields (JSON)"),
        ('""variants""', '""wants""', "line 2: Exact Fields (JSON) has wants"),
        ('"{""variants"":', '"[""variants"":', "line 2: Exact Fields (JSON): not JSON"),
    ],
)
def test_a_cell_that_contradicts_the_exact_fields_costs_its_product(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    """Otherwise an edited price would be ignored without a word."""
    path = tmp_path / "export"
    document = _usual(variants=(Variant("'0123", {}, Money("5.00", "EUR")),))
    (read,) = _read(path, CSV, [document])
    _assert_same(read, document)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1), newline="")
    (read,) = ShopifyFile(path, "USD")
    assert isinstance(read, Rejection)
    assert reason in read.reason
