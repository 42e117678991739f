"""The stock items: one is opened when a SKU is added, and closed when it is removed.

The quantity on hand is not in this catalogue (docs/decisions/0013-counting-views.md).
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from projector.applying.ports import Fold
from projector.errors import HistoryDoesNotFold
from shared.contract import events as e
from shared.contract.codec import event_types_of
from shared.contract.recorded_event import RecordedEvent

EVENT_TYPES = event_types_of(e.ProductCreated, e.VariantAdded, e.VariantRemoved, e.ProductDeleted)


class Movement(Struct, frozen=True):
    """The state of a stock item from this log position on; `closed_at` None: open.

    It is the whole state of the item, so that of two products' movements of one SKU, which arrive
    in any order, the later position can simply replace the earlier one.
    """

    log_position: int
    opened_at: datetime
    closed_at: datetime | None


class StockedProduct(Struct, frozen=True):
    """The SKUs of a product, and since when. `moved` has the changes of this batch, never loaded.

    Deleted is a state and not an absence, because the deletion itself moves items.
    """

    opened_at: dict[str, datetime]
    is_deleted: bool = False
    moved: dict[str, Movement] = {}


def apply_event(
    stocked: StockedProduct | None, event: e.ProductEvent, recorded: RecordedEvent
) -> StockedProduct:
    """The stock items of the product after `event`. Raises `HistoryDoesNotFold`."""
    if isinstance(event, e.ProductCreated):
        if stocked is not None:
            raise HistoryDoesNotFold("created twice")
        return _opened(StockedProduct({}), [variant.sku for variant in event.variants], recorded)
    if stocked is None or stocked.is_deleted:
        raise HistoryDoesNotFold(f"{recorded.event_type} on a product that is not there")
    match event:
        case e.VariantAdded(sku=sku):
            if sku in stocked.opened_at:
                raise HistoryDoesNotFold(f"the product has the SKU {sku!r} already")
            return _opened(stocked, [sku], recorded)
        case e.VariantRemoved(sku=sku):
            if sku not in stocked.opened_at:
                raise HistoryDoesNotFold(f"no variant has the SKU {sku!r}")
            return _closed(stocked, [sku], recorded)
        case e.ProductDeleted():
            return replace(_closed(stocked, stocked.opened_at, recorded), is_deleted=True)
        case _:
            return stocked


def skip_event(stocked: StockedProduct, _: RecordedEvent) -> StockedProduct:
    """An event of another type only changes the version."""
    return stocked


def _opened(stocked: StockedProduct, skus: Iterable[str], recorded: RecordedEvent) -> StockedProduct:
    at = recorded.recorded_at
    moved = {sku: Movement(recorded.log_position, at, None) for sku in skus}
    return replace(
        stocked, opened_at=stocked.opened_at | dict.fromkeys(moved, at), moved=stocked.moved | moved
    )


def _closed(stocked: StockedProduct, skus: Iterable[str], recorded: RecordedEvent) -> StockedProduct:
    moved = {
        sku: Movement(recorded.log_position, stocked.opened_at[sku], recorded.recorded_at) for sku in skus
    }
    left = {sku: at for sku, at in stocked.opened_at.items() if sku not in moved}
    return replace(stocked, opened_at=left, moved=stocked.moved | moved)


FOLD = Fold(EVENT_TYPES, apply_event, skip_event)
