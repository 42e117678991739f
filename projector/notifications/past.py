"""Folds a product's history: its document after each event."""

from collections.abc import Iterable, Iterator

from shared.contract.codec import UnknownEventType, decode_event
from shared.contract.events import ProductEvent
from shared.contract.product_fold import apply_event
from shared.contract.recorded_event import RecordedEvent
from shared.contract.views import ProductDocument


def documents_after(past: Iterable[RecordedEvent]) -> Iterator[tuple[ProductEvent, ProductDocument | None]]:
    """Each event with the document after it; None once the product is deleted. `past` begins with version 1.

    Events of unknown types are left out. Raises `CodecError`, `ArithmeticError` and
    `HistoryDoesNotFold` at the event that cannot be read or applied.
    """
    document: ProductDocument | None = None
    for one in past:
        try:
            event = decode_event(one.event_type, one.schema_version, one.data)
        except UnknownEventType:
            continue
        document = apply_event(document, event, one)
        yield event, document
