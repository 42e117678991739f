"""The newest state of a product, also of a deleted one: the source of the compacted topic.

The document is the product document that readers get. A deleted product keeps the time of its deletion,
because its tombstone has a time, too.
"""

from datetime import datetime

from msgspec import Struct

from projector.applying.ports import Fold
from shared.contract import product_fold
from shared.contract.events import ProductEvent
from shared.contract.recorded_event import RecordedEvent
from shared.contract.views import ProductDocument


class ProductState(Struct, frozen=True):
    """`document` None: deleted. `recorded_at` is the time of the newest event."""

    document: ProductDocument | None
    recorded_at: datetime


def apply_event(state: ProductState | None, event: ProductEvent, recorded: RecordedEvent) -> ProductState:
    """The state after `event`. Raises `HistoryDoesNotFold`."""
    before = None if state is None else state.document
    return ProductState(product_fold.apply_event(before, event, recorded), recorded.recorded_at)


def skip_event(state: ProductState, recorded: RecordedEvent) -> ProductState:
    """The state after an event of an unknown type."""
    if state.document is None:
        return ProductState(None, recorded.recorded_at)
    return ProductState(product_fold.skip_event(state.document, recorded), recorded.recorded_at)


FOLD = Fold(product_fold.EVENT_TYPES, apply_event, skip_event)
