"""A product document after one more event of the log; the fold itself is the contract's."""

from shared.contract.codec import CodecError, UnknownEventType, decode_event
from shared.contract.product_fold import HistoryDoesNotFold, apply_event, skip_event
from shared.contract.recorded_event import RecordedEvent
from shared.contract.views import ProductDocument


class Unreadable(ValueError):
    """The event is of a schema version that only newer code knows, or a defect; the text says which."""


def next_document(document: ProductDocument | None, event: RecordedEvent) -> ProductDocument | None:
    """The document after `event`; None: the product is deleted. Raises `Unreadable`.

    An event of an unknown type is a version in which nothing else changes, as for the projector.
    """
    try:
        decoded = decode_event(event.event_type, event.schema_version, event.data)
        return apply_event(document, decoded, event)
    except UnknownEventType:
        return None if document is None else skip_event(document, event)
    except (CodecError, HistoryDoesNotFold) as error:
        raise Unreadable(f"version {event.stream_version}: {type(error).__name__}: {error}") from error
