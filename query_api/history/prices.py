"""Prices over time, from the steps of a stream.

A price counts for customers while the product is active and has the variant. What is before, between and
after (a draft, archived, without the variant, deleted) is a gap, and so is a price in another currency.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from query_api.errors import BadParameter
from query_api.history.streams import Step
from shared.contract.events import Money
from shared.contract.views import ProductDocument


class PriceFilter(NamedTuple):
    """Which prices are meant; None: of all SKUs, in all currencies."""

    sku: str | None
    currency: str | None

    def prices(self, document: ProductDocument | None) -> dict[str, Money]:
        """By SKU; none of a product that is not there."""
        return {
            one.sku: one.price
            for one in (document.variants if document else ())
            if self.sku in (None, one.sku) and self.currency in (None, one.price.currency)
        }


class PricePoint(NamedTuple):
    """From here on a SKU has this price, or none (None). `is_for_sale`: customers could buy at it."""

    sku: str
    price: Money | None
    is_for_sale: bool
    at: datetime
    stream_version: int


class LowestPrice(NamedTuple):
    """The lowest price, and when in the time asked about it began to hold."""

    sku: str
    price: Money
    at: datetime


def price_points(
    step: Step, before: ProductDocument | None, after: ProductDocument | None, wanted: PriceFilter
) -> Iterator[PricePoint]:
    """What one step changed for the reader who sees these documents, in the order of the SKUs."""
    old, new = wanted.prices(before), wanted.prices(after)
    was, is_ = _is_for_sale(before), _is_for_sale(after)
    for sku in sorted(old.keys() | new.keys()):
        price = new.get(sku)
        for_sale = is_ and price is not None
        if old.get(sku) != price or (was and sku in old) != for_sale:
            yield PricePoint(sku, price, for_sale, step.event.recorded_at, step.event.stream_version)


class LowestPrices:
    """Goes through a time step by step; a price that held at its beginning counts.

    A price that was replaced at the very moment at which it began has never held, and does not count.
    """

    def __init__(self, begins: datetime, wanted: PriceFilter) -> None:
        self._begins = begins
        self._wanted = wanted
        self._held: dict[str, Money] = {}
        self._since: dict[str, datetime] = {}
        self._lowest: LowestPrice | None = None

    def begin(self, document: ProductDocument | None) -> None:
        """The document at the beginning."""
        self._hold(document, self._begins)

    def add(self, step: Step) -> None:
        """A step within the time."""
        self._hold(step.after, step.event.recorded_at)

    def lowest(self, ends: datetime | None) -> LowestPrice | None:
        """At the end of the time, before `ends`; None: now, and what holds now has begun before."""
        for sku, since in self._since.items():
            if ends is None or since < ends:
                self._count(sku)
        return self._lowest

    def _hold(self, document: ProductDocument | None, now: datetime) -> None:
        offered = self._wanted.prices(document) if _is_for_sale(document) else {}
        for sku, price in self._held.items():
            if offered.get(sku) != price and self._since[sku] < now:
                self._count(sku)
        self._since = {
            sku: self._since[sku] if self._held.get(sku) == price else now for sku, price in offered.items()
        }
        self._held = offered

    def _count(self, sku: str) -> None:
        price, lowest = self._held[sku], self._lowest
        if lowest is None:
            self._lowest = LowestPrice(sku, price, self._since[sku])
            return
        if lowest.price.currency != price.currency:
            both = " and ".join(sorted((lowest.price.currency, price.currency)))
            raise BadParameter("currency", f"is needed: there are prices in {both}", "needs-currency")
        if Decimal(price.amount) < Decimal(lowest.price.amount):
            self._lowest = LowestPrice(sku, price, self._since[sku])


def _is_for_sale(document: ProductDocument | None) -> bool:
    return document is not None and document.status == "active"
