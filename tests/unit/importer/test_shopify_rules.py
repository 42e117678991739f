"""Rows of a Shopify CSV -> products: each rule by itself."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from command_api.http import schemas
from command_api.importer import shopify_variants
from command_api.importer.errors import FileUnreadable
from command_api.importer.shopify import product_of
from command_api.importer.shopify_columns import KNOWN, Columns, Row, resolve_columns
from command_api.importer.slugs import category_path, slug_of_handle
from command_api.importer.source import Candidate, Rejection

ONE = {"Handle": "mug", "Title": "Mug", "Variant Price": "5.00"}
SIZE = {"Option1 Name": "Size", "Option1 Value": "S"}


def read(
    *rows: dict[str, str], currency: str = "USD", columns: Sequence[str] = KNOWN
) -> Candidate | Rejection:
    resolved = resolve_columns(columns)
    cells = [[row.get(column, "") for column in columns] for row in rows]
    return product_of([Row(line, row) for line, row in enumerate(cells, start=2)], resolved, currency)


def product(*rows: dict[str, str], currency: str = "USD", columns: Sequence[str] = KNOWN) -> dict[str, Any]:
    candidate = read(*rows, currency=currency, columns=columns)
    assert isinstance(candidate, Candidate), candidate
    return candidate.product


def variant(**cells: str) -> dict[str, Any]:
    names = {
        "price": "Variant Price",
        "grams": "Variant Grams",
        "barcode": "Variant Barcode",
        "sku": "Variant SKU",
    }
    only: dict[str, Any] = product(ONE | {names[name]: cell for name, cell in cells.items()})["variants"][0]
    return only


def reason(*rows: dict[str, str], currency: str = "USD") -> str:
    rejection = read(*rows, currency=currency)
    assert isinstance(rejection, Rejection), rejection
    return rejection.reason


def test_the_handle_is_the_slug_as_it_stands() -> None:
    assert product(ONE | {"Handle": "größen_set"})["slug"] == "größen_set"


def test_title_and_default_title_mean_no_options() -> None:
    only = product(ONE | {"Option1 Name": "Title", "Option1 Value": "Default Title"})["variants"]
    assert [each["options"] for each in only] == [{}]


def test_an_option_that_is_really_named_title_is_one() -> None:
    only = product(ONE | {"Option1 Name": "Title", "Option1 Value": "Second edition"})["variants"]
    assert only[0]["options"] == {"Title": "Second edition"}


def test_option_names_of_the_first_row_hold_for_all_rows() -> None:
    rows = (ONE | SIZE, {"Handle": "mug", "Option1 Value": "M", "Variant Price": "6"})
    assert [each["options"] for each in product(*rows)["variants"]] == [{"Size": "S"}, {"Size": "M"}]


def test_an_option_value_without_a_name_is_rejected() -> None:
    assert reason(ONE | {"Option2 Value": "Red"}) == "line 2: Option2 Value 'Red' has no Option2 Name"


def test_two_options_of_one_name_are_rejected() -> None:
    assert "line 2: two options are named 'Size'" in reason(
        ONE | SIZE | {"Option2 Name": "Size", "Option2 Value": "M"}
    )


def test_an_empty_sku_is_left_out_so_that_the_api_keeps_or_makes_one() -> None:
    assert "sku" not in product(ONE)["variants"][0]
    assert "sku" not in product(ONE, columns=["Handle", "Title", "Variant Price"])["variants"][0]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("50", "50.00"),
        ("50.5", "50.50"),
        (" 50.00 ", "50.00"),
        ("0", "0.00"),
        ("'5.00", "5.00"),
        ("23.900000", "23.90"),
        ("5.0000", "5.00"),
        ("\u20195", "5.00"),
    ],
)
def test_prices_are_normalised_to_the_minor_units(text: str, amount: str) -> None:
    assert variant(price=text)["price"] == {"amount": amount, "currency": "USD"}


@pytest.mark.parametrize("text", ["5,00", "1,000.00", "$5", "-5", "1e3", "5.001", ".5", "NaN", "\u0665"])
def test_what_is_no_price_is_rejected_with_the_cell(text: str) -> None:
    assert reason(ONE | {"Variant Price": text}).startswith(f"line 2: Variant Price {text!r}: ")


def test_yen_have_no_decimals() -> None:
    assert product(ONE | {"Variant Price": "500"}, currency="JPY")["variants"][0]["price"]["amount"] == "500"
    assert "JPY has 0 decimal places" in reason(ONE | {"Variant Price": "500.00"}, currency="JPY")


def test_one_variant_without_a_price_rejects_the_whole_product() -> None:
    assert reason(ONE | SIZE, {"Handle": "mug", "Option1 Value": "M"}) == "line 3: Variant Price is empty"


def test_every_problem_of_a_product_is_told() -> None:
    assert reason(ONE | {"Variant Price": "", "Variant Grams": "heavy", "Title": ""}).count(";") == 2


def test_an_empty_compare_at_price_is_null_and_a_given_one_money() -> None:
    assert product(ONE)["variants"][0]["compare_at_price"] is None
    dearer = product(ONE | {"Variant Compare At Price": "9"})["variants"][0]["compare_at_price"]
    assert dearer == {"amount": "9.00", "currency": "USD"}


@pytest.mark.parametrize(
    ("text", "grams"), [
        ("", None), ("200", 200), ("200.0", 200), ("453.59237", 454), ("0.5", 1), ("0", 0), ("'200", 200),
        ("70.8738078125", 71), (f"1.{'4' * 60}", 1), ("1E+3", 1000), ("1.5e3", 1500), ("5e-1", 1),
        ("1000000000.4", 1_000_000_000), (".5", 1),
    ],
)  # fmt: skip
def test_weights_are_whole_grams(text: str, grams: int | None) -> None:
    assert variant(grams=text)["weight_grams"] == grams


@pytest.mark.parametrize("text", ["2 kg", "-1", "1,5", "inf", "e2", "1e", "\u0665"])
def test_what_is_no_weight_is_rejected(text: str) -> None:
    assert "is not a weight in grams" in reason(ONE | {"Variant Grams": text})


@pytest.mark.parametrize(("text", "barcode"), [("'0123", "0123"), ("0123", "0123"), ("'", None), ("", None)])
def test_a_spreadsheets_apostrophe_is_no_part_of_a_barcode(text: str, barcode: str | None) -> None:
    assert variant(barcode=text)["barcode"] == barcode


@pytest.mark.parametrize("text", ["1E+10", "1000000000.5", "9" * 400, "1e999"])
def test_a_weight_over_the_limit_of_the_api_is_rejected(text: str) -> None:
    assert reason(ONE | {"Variant Grams": text}).endswith("is more than 1,000,000,000 grams")


def test_the_limit_of_weights_is_the_one_of_the_api() -> None:
    assert shopify_variants.WEIGHT_GRAMS_MAX == schemas.WEIGHT_GRAMS_MAX


@pytest.mark.parametrize("sku", ["'A/b #1", "A-'1", "'98er", "'24\"", "="])
def test_a_sku_is_kept_exactly(sku: str) -> None:
    assert variant(sku=sku)["sku"] == sku


@pytest.mark.parametrize("column", ["Variant SKU", "Variant Barcode"])
def test_a_code_whose_digits_a_spreadsheet_has_cut_off_is_rejected(column: str) -> None:
    assert reason(ONE | {column: "6.14141E+11"}) == (
        f"line 2: {column} '6.14141E+11': a spreadsheet has cut off its last digits"
    )
    assert product(ONE | {column: "5E+10"})


@pytest.mark.parametrize("sku", ["'2564756", "\u20192564756", "\u20182564756", "''2564756", '="2564756"'])
def test_a_numeric_sku_loses_the_apostrophe_of_a_spreadsheet(sku: str) -> None:
    assert variant(sku=sku)["sku"] == "2564756"


def test_a_row_without_option_and_variant_cells_is_a_further_image() -> None:
    read_product = product(
        ONE | {"Image Src": "https://x/1.jpg", "Image Alt Text": "Front"},
        {"Handle": "mug", "Image Src": "https://x/2.jpg"},
    )
    assert len(read_product["variants"]) == 1
    assert read_product["images"] == [
        {"url": "https://x/1.jpg", "alt": "Front"},
        {"url": "https://x/2.jpg", "alt": None},
    ]


def test_a_policy_alone_makes_a_picture_no_variant() -> None:
    columns = [*KNOWN, "Variant Inventory Policy"]
    picture = {"Handle": "mug", "Image Src": "https://x/2.jpg", "Variant Inventory Policy": "deny"}
    assert len(product(ONE, picture, columns=columns)["variants"]) == 1


def test_variant_cells_without_a_picture_are_a_variant_that_lacks_its_price() -> None:
    columns = [*KNOWN, "Variant Inventory Policy"]
    assert isinstance(
        read(ONE, {"Handle": "mug", "Variant Inventory Policy": "deny"}, columns=columns), Rejection
    )


def test_images_are_in_the_order_of_their_positions_and_those_without_come_last() -> None:
    places = {"c": "", "b": "2", "a": "1.0"}
    rows = [{"Handle": "mug", "Image Src": name, "Image Position": place} for name, place in places.items()]
    assert [image["url"] for image in product(ONE, *rows)["images"]] == ["a", "b", "c"]


def test_an_address_is_one_image_and_a_variants_image_joins_the_products() -> None:
    rows = (
        ONE | {"Image Src": "a", "Variant Image": "b"},
        {"Handle": "mug", "Image Src": "a", "Image Alt Text": "A"},
    )
    assert product(*rows)["images"] == [{"url": "a", "alt": "A"}, {"url": "b", "alt": None}]


def test_type_is_the_product_type_vendor_the_brand_and_category_a_path() -> None:
    cells = {"Type": "Mugs", "Vendor": "Hearth", "Product Category": "Home & Garden > Kitchen > Mugs/Cups"}
    read_product = product(ONE | cells)
    assert (read_product["product_type"], read_product["brand"]) == ("Mugs", "Hearth")
    assert read_product["category"] == "home-garden/kitchen/mugs-cups"


def test_the_body_stays_html_to_the_letter() -> None:
    html = '<p class="a">1 &lt; 2</p>\r\n  <b>ü</b> '
    assert product(ONE | {"Body (HTML)": html})["description"] == html


def test_tags_are_separated_by_commas_once_each() -> None:
    assert product(ONE | {"Tags": " a, b c ,,a"})["tags"] == ["a", "b c"]


def test_empty_cells_are_null_and_absent_columns_are_absent() -> None:
    assert product(ONE)["description"] is None
    bare = product(ONE, columns=["Handle", "Title", "Variant Price"])
    assert bare.keys() == {"slug", "name", "variants"}
    assert bare["variants"] == [{"price": {"amount": "5.00", "currency": "USD"}}]


def test_the_title_may_stand_on_any_row() -> None:
    assert product(ONE | SIZE | {"Title": ""}, ONE | {"Option1 Value": "M"})["name"] == "Mug"


@pytest.mark.parametrize(
    ("status", "published", "wanted"),
    [
        ("active", "", "active"),
        ("Active", "FALSE", "active"),
        ("draft", "TRUE", "draft"),
        ("archived", "TRUE", "archived"),
        ("", "TRUE", "active"),
        ("", "true", "active"),
        ("", "FALSE", "draft"),
        ("", "", "active"),
        ("unlisted", "TRUE", "draft"),
        ("", "1", "active"),
        ("", "0", "draft"),
    ],
)
def test_status_publishes_and_published_does_where_there_is_no_status(
    status: str, published: str, wanted: str
) -> None:
    candidate = read(ONE | {"Status": status, "Published": published})
    assert isinstance(candidate, Candidate)
    assert candidate.wanted_status == wanted


@pytest.mark.parametrize("column", ["Status", "Published"])
def test_a_status_that_is_none_is_rejected(column: str) -> None:
    assert column in reason(ONE | {column: "perhaps"})


def test_headers_are_found_in_any_case_and_in_the_newer_template() -> None:
    columns = ["URL HANDLE", " title ", "Price", "SKU", "Weight value (grams)"]
    read_product = product(dict(zip(columns, ["mug", "Mug", "5", "M-1", "7"], strict=True)), columns=columns)
    assert read_product["slug"] == "mug"
    assert read_product["variants"][0]["sku"] == "M-1"
    assert read_product["variants"][0]["weight_grams"] == 7


@pytest.mark.parametrize("header", ["\u200bHandle", "Handle\u00a0", "\ufeff handle", "HANDLE"])
def test_what_cannot_be_seen_in_a_header_does_not_hide_its_column(header: str) -> None:
    assert resolve_columns([header, "Title", "Variant\u00a0Price", "Variant  SKU"]).unknown == ()


def test_a_synonym_beside_the_older_name_is_an_unknown_column() -> None:
    resolved = resolve_columns(["Handle", "Title", "Variant Price", "Price"])
    assert resolved.unknown == ("Price",)


def test_other_columns_are_unknown_and_named() -> None:
    assert resolve_columns([*KNOWN, "SEO Title", "", "Price / International"]).unknown == (
        "SEO Title",
        "Price / International",
    )


def test_missing_columns_are_named() -> None:
    with pytest.raises(FileUnreadable, match="missing: Handle, Title"):
        resolve_columns(["Variant Price", "Vendor"])


def test_short_rows_are_padded_and_surplus_cells_rejected() -> None:
    columns: Columns = resolve_columns(["Handle", "Title", "Variant Price", "Tags"])
    assert isinstance(product_of([Row(2, ["a", "A", "5"])], columns, "USD"), Candidate)
    surplus = product_of([Row(2, ["a", "A", "5", "", "", "x"])], columns, "USD")
    assert isinstance(surplus, Rejection)
    assert surplus.reason == "line 2 has 6 cells under 4 columns"


@settings(deadline=None)
@given(st.text())
def test_a_handles_slug_is_its_own_slug(text: str) -> None:
    slug = slug_of_handle(text)
    assert slug_of_handle(slug) == slug
    assert not slug.startswith("-")
    assert not slug.endswith("-")


def test_a_category_without_a_word_is_none() -> None:
    assert category_path(" > & ") is None
