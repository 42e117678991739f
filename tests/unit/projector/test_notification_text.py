"""What a mail says; whatever a product is called, a header stays one line."""

import string

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projector.notifications.text import (
    SUBJECT_NAME_CHARACTERS_MAX,
    VARIANTS_SHOWN_MAX,
    kind_of,
    mail_text,
    one_line,
)
from shared.contract import events as e
from shared.contract.product_fold import apply_event
from shared.contract.views import ProductDocument
from tests.unit.projector.histories import created, new_product_id, recorded, variant

READ_URL = "https://shop.test/"


def product(name: str) -> ProductDocument:
    event = created()
    document = apply_event(None, event, recorded(new_product_id(), 1, event))
    assert document is not None
    return msgspec.structs.replace(document, name=name)


def price(new: str, old: str, currency: str = "EUR", before: str = "EUR") -> e.PriceChanged:
    return e.PriceChanged("S-1", e.Money(new, currency), e.Money(old, before))


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (created(), "product-created"),
        (e.ProductArchived(), "product-archived"),
        (price("9.99", "10.00"), "price-dropped"),
        (price("9.50", "10.00"), "price-dropped"),
        (price("10.00", "9.99"), None),
        (price("10.00", "10.00"), None),
        (price("10.00", "10.0"), None),
        (price("1.00", "200.00", "EUR", "JPY"), None),
        (e.ProductPublished(), None),
        (e.ProductDeleted(), None),
        (e.VariantChanged("S-1", {}, e.Money("1.00", "EUR")), None),
    ],
)
def test_only_a_new_product_a_lower_price_and_an_archived_product_are_worth_a_mail(
    event: e.ProductEvent, kind: str | None
) -> None:
    assert kind_of(event) == kind
    assert kind_of(event) == kind


def test_a_new_product_is_told_with_its_skus_their_prices_and_a_link() -> None:
    document = product(name="Ocean Blue Shirt")
    text = mail_text("product-created", created(), document, READ_URL)
    assert text.subject == "New product: Ocean Blue Shirt"
    assert text.body == (
        "A new product is in the catalogue.\n\n"
        "Name:     Ocean Blue Shirt\n"
        "SKU:      S-1  10.00 EUR\n"
        f"See:      https://shop.test/v1/products/{document.id}\n"
    )


def test_a_lower_price_is_told_with_the_one_before() -> None:
    text = mail_text("price-dropped", price("8.00", "10.00"), product(name="Shirt"), READ_URL)
    assert text.subject == "Price dropped: Shirt, now 8.00 EUR"
    assert "SKU:      S-1\nPrice:    8.00 EUR, before 10.00 EUR\n" in text.body


def test_an_archived_product_is_told_by_name() -> None:
    text = mail_text("product-archived", e.ProductArchived(), product(name="Shirt"), READ_URL)
    assert text.subject == "Archived: Shirt"
    assert text.body.startswith("A product was archived.\n")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Shirt\r\nBcc: everybody@example.test", "Shirt Bcc: everybody@example.test"),
        ("a\nb\x0bc\x0cd\x85e\u2028f\u2029g", "a b c d e f g"),
        ("tab\tbell\x07 null\0", "tab bell null"),
        ("Größe Ñandú 北京 קטלוג", "Größe Ñandú 北京 קטלוג"),
        ("👩\u200d👩\u200d👧 family", "👩\u200d👩\u200d👧 family"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("  much   space  ", "much space"),
    ],
)
def test_a_name_stays_one_line_and_its_letters_stay_as_they_are(name: str, shown: str) -> None:
    assert one_line(name) == shown
    text = mail_text("product-created", created(), product(name=name), READ_URL)
    assert text.subject == f"New product: {shown}"
    assert f"Name:     {shown}\n" in text.body


@given(st.text())
def test_no_name_makes_a_line_of_its_own(name: str) -> None:
    text = mail_text("product-created", created(), product(name=name), READ_URL)
    assert text.subject.splitlines() == [text.subject]
    assert len(text.body.splitlines()) == len(text.body.split("\n")) - 1 == 5


def test_a_very_long_name_is_cut_in_the_subject_and_whole_in_the_text() -> None:
    name = string.ascii_letters * 20
    text = mail_text("product-created", created(), product(name=name), READ_URL)
    assert len(text.subject) == len("New product: ") + SUBJECT_NAME_CHARACTERS_MAX
    assert text.subject.endswith("…")
    assert name in text.body


def test_of_very_many_variants_the_first_are_shown_and_the_rest_is_counted() -> None:
    variants = tuple(variant(f"S-{number}") for number in range(VARIANTS_SHOWN_MAX + 230))
    event = e.ProductCreated(slug="s", name="Shirt", variants=variants)
    document = apply_event(None, event, recorded(new_product_id(), 1, event))
    assert document is not None
    lines = mail_text("product-created", event, document, READ_URL).body.splitlines()
    assert sum(line.startswith("SKU:") for line in lines) == VARIANTS_SHOWN_MAX
    assert any(line.strip(": ") == "and 230 more" for line in lines)
