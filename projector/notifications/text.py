"""The text of a single mail, made from an event and the product after it.

Names come from clients: a line break in one must not end a header, or make a false line in the text.
"""

import unicodedata
from typing import Literal, NamedTuple

from shared.contract import events as e
from shared.contract.money import as_decimal
from shared.contract.text import cut_text
from shared.contract.views import ProductDocument

Kind = Literal["product-created", "price-dropped", "product-archived"]
EVENT_TYPES = frozenset({"product-created", "product-price-changed", "product-archived"})
"""Only these events send mails; a higher price does not."""

SUBJECT_NAME_CHARACTERS_MAX = 120
VARIANTS_SHOWN_MAX = 20
# Controls, line and paragraph separators, lone surrogates.
_BREAKING = frozenset({"Cc", "Zl", "Zp", "Cs"})


class MailText(NamedTuple):
    """The text is the same for all recipients. `subject` is one line; the lines of `body` end with a line
    feed.
    """

    kind: Kind
    subject: str
    body: str


def kind_of(event: e.ProductEvent) -> Kind | None:
    """None: the event sends no mail."""
    match event:
        case e.ProductCreated():
            return "product-created"
        case e.ProductArchived():
            return "product-archived"
        case e.PriceChanged(price=price, previous_price=before):
            is_lower = as_decimal(price.amount) < as_decimal(before.amount)
            return "price-dropped" if price.currency == before.currency and is_lower else None
        case _:
            return None


def mail_text(kind: Kind, event: e.ProductEvent, product: ProductDocument, read_url: str) -> MailText:
    """`product` is the document right after the event, not the present one."""
    name = one_line(product.name)
    short = shortened(name, SUBJECT_NAME_CHARACTERS_MAX)
    if isinstance(event, e.PriceChanged):
        subject = f"Price dropped: {short}, now {_money(event.price)}"
        opening = "The price of a product has dropped."
        facts = [
            ("SKU", one_line(event.sku)),
            ("Price", f"{_money(event.price)}, before {_money(event.previous_price)}"),
        ]
    else:
        is_new = kind == "product-created"
        subject = f"{'New product' if is_new else 'Archived'}: {short}"
        opening = "A new product is in the catalogue." if is_new else "A product was archived."
        facts = _variants(product)
    link = f"{read_url.rstrip('/')}/v1/products/{product.id}"
    lines = [f"{label + ':':<10}{fact}" for label, fact in [("Name", name), *facts, ("See", link)]]
    return MailText(kind, subject, "\n".join([opening, "", *lines, ""]))


def one_line(text: str) -> str:
    """The text without characters that could end a line; other scripts and emoji do not change."""
    kept = "".join(" " if unicodedata.category(one) in _BREAKING else one for one in text)
    return " ".join(kept.split())


def _variants(product: ProductDocument) -> list[tuple[str, str]]:
    shown = product.variants[:VARIANTS_SHOWN_MAX]
    facts = [("SKU", f"{one_line(one.sku)}  {_money(one.price)}") for one in shown]
    more = len(product.variants) - len(shown)
    return [*facts, ("", f"and {more} more")] if more else facts


def _money(money: e.Money) -> str:
    return f"{money.amount} {money.currency}"


def shortened(text: str, characters_max: int) -> str:
    """With an ellipsis if the text was cut."""
    return text if len(text) <= characters_max else cut_text(text, characters_max - 1).rstrip() + "…"
