"""Where a product is counted: in its category, brand and status; nowhere once it is deleted.

Nothing else is kept, so that events of prices and variants, which are the most, are skipped without decoding.
"""

from msgspec import UNSET, Struct
from msgspec.structs import replace

from projector.applying.ports import Fold
from projector.errors import HistoryDoesNotFold
from shared.contract import events as e
from shared.contract.codec import event_types_of
from shared.contract.recorded_event import RecordedEvent
from shared.contract.views import ProductStatus

EVENT_TYPES = event_types_of(
    e.ProductCreated,
    e.ProductDetailsChanged,
    e.ProductPublished,
    e.ProductArchived,
    e.ProductRestored,
    e.ProductDeleted,
)


class CountedProduct(Struct, frozen=True):
    """`category` is a path such as `apparel/shirts`."""

    category: str | None
    brand: str | None
    status: ProductStatus


def apply_event(
    counted: CountedProduct | None, event: e.ProductEvent, recorded: RecordedEvent
) -> CountedProduct | None:
    """Where the product is counted after `event`; None: nowhere. Raises `HistoryDoesNotFold`."""
    if isinstance(event, e.ProductCreated):
        if counted is not None:
            raise HistoryDoesNotFold("created twice")
        return CountedProduct(event.category, event.brand, "draft")
    if counted is None:
        raise HistoryDoesNotFold(f"{recorded.event_type} on a product that is not there")
    match event:
        case e.ProductDetailsChanged(category=category, brand=brand):
            return replace(
                counted,
                category=counted.category if category is UNSET else category,
                brand=counted.brand if brand is UNSET else brand,
            )
        case e.ProductPublished() | e.ProductRestored():
            return replace(counted, status="active")
        case e.ProductArchived():
            return replace(counted, status="archived")
        case e.ProductDeleted():
            return None
        case _:
            return counted


def skip_event(counted: CountedProduct, _: RecordedEvent) -> CountedProduct:
    """An event of another type only changes the version."""
    return counted


def ancestors(category: str) -> list[str]:
    """The paths from the top down to the category itself: `apparel`, `apparel/shirts`."""
    parts = category.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]


FOLD = Fold(EVENT_TYPES, apply_event, skip_event)
