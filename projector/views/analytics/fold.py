"""The changes of the catalogue, as facts to be counted by day, category and brand.

A fact has the category and brand of its time: those after the event if it changes them, those before it
if it deletes the product. A counted fact is never moved to another category.
"""

from datetime import UTC, date
from typing import Literal, NamedTuple

from msgspec import UNSET, Struct
from msgspec.structs import replace

from projector.applying.ports import Fold
from projector.errors import HistoryDoesNotFold
from projector.views.analytics.price_moves import PriceMove, price_move
from shared.contract import events as e
from shared.contract.codec import STORED_TYPES
from shared.contract.events import Money
from shared.contract.recorded_event import RecordedEvent

EVENT_TYPES = frozenset(stored.event_type for stored in STORED_TYPES)

Kind = Literal[
    "products_created",
    "products_published",
    "products_archived",
    "products_restored",
    "products_deleted",
    "details_changed",
    "variants_added",
    "variants_changed",
    "variants_removed",
    "prices_changed",
]


class Fact(NamedTuple):
    """One event. `stream_version` decides whether it is counted already; `day` is its UTC day."""

    stream_version: int
    day: date
    category: str | None
    brand: str | None
    kind: Kind
    price: PriceMove | None = None


class AnalysedProduct(Struct, frozen=True):
    """The product as the next fact needs it; prices by SKU. `facts` are those of this batch, never loaded.

    Deleted is a state and not an absence, because the deletion itself is a fact.
    """

    category: str | None
    brand: str | None
    prices: dict[str, Money]
    is_deleted: bool = False
    facts: tuple[Fact, ...] = ()


def apply_event(
    product: AnalysedProduct | None, event: e.ProductEvent, recorded: RecordedEvent
) -> AnalysedProduct:
    """The product after `event`, with one more fact. Raises `HistoryDoesNotFold`."""
    if isinstance(event, e.ProductCreated):
        if product is not None:
            raise HistoryDoesNotFold("created twice")
        prices = {variant.sku: variant.price for variant in event.variants}
        return _with(AnalysedProduct(event.category, event.brand, prices), recorded, "products_created")
    if product is None or product.is_deleted:
        raise HistoryDoesNotFold(f"{recorded.event_type} on a product that is not there")
    if isinstance(event, e.ProductDetailsChanged):
        return _with(_with_details(product, event), recorded, "details_changed")
    if isinstance(event, e.VariantAdded | e.VariantChanged | e.VariantRemoved | e.PriceChanged):
        return _with_variant(product, event, recorded)
    match event:
        case e.ProductPublished():
            return _with(product, recorded, "products_published")
        case e.ProductArchived():
            return _with(product, recorded, "products_archived")
        case e.ProductRestored():
            return _with(product, recorded, "products_restored")
        case e.ProductDeleted():
            return _with(replace(product, is_deleted=True), recorded, "products_deleted")


def skip_event(product: AnalysedProduct, _: RecordedEvent) -> AnalysedProduct:
    """An event of an unknown type is no fact."""
    return product


def _with_details(product: AnalysedProduct, changed: e.ProductDetailsChanged) -> AnalysedProduct:
    return replace(
        product,
        category=product.category if changed.category is UNSET else changed.category,
        brand=product.brand if changed.brand is UNSET else changed.brand,
    )


def _with_variant(
    product: AnalysedProduct,
    event: e.VariantAdded | e.VariantChanged | e.VariantRemoved | e.PriceChanged,
    recorded: RecordedEvent,
) -> AnalysedProduct:
    """One event may change a variant and its price; the old price is the one in the state."""
    prices, sku = product.prices, event.sku
    if not isinstance(event, e.VariantAdded) and sku not in prices:
        raise HistoryDoesNotFold(f"no variant has the SKU {sku!r}")
    match event:
        case e.VariantAdded(price=price):
            return _with(replace(product, prices=prices | {sku: price}), recorded, "variants_added")
        case e.VariantChanged(price=price):
            move = price_move(prices[sku], price) if price != prices[sku] else None
            return _with(replace(product, prices=prices | {sku: price}), recorded, "variants_changed", move)
        case e.VariantRemoved():
            left = {one: price for one, price in prices.items() if one != sku}
            return _with(replace(product, prices=left), recorded, "variants_removed")
        case e.PriceChanged(price=price, previous_price=before):
            move = price_move(before, price)
            return _with(replace(product, prices=prices | {sku: price}), recorded, "prices_changed", move)


def _with(
    product: AnalysedProduct, recorded: RecordedEvent, kind: Kind, price: PriceMove | None = None
) -> AnalysedProduct:
    day = recorded.recorded_at.astimezone(UTC).date()
    fact = Fact(recorded.stream_version, day, product.category, product.brand, kind, price)
    return replace(product, facts=(*product.facts, fact))


FOLD = Fold(EVENT_TYPES, apply_event, skip_event)
