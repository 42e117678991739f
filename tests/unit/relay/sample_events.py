"""Events for tests of the relay: products in turn, each with versions 1, 2, 3 … without gaps."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from shared.contract.recorded_event import EventMetadata, RecordedEvent

RECORDED_AT = datetime(2026, 3, 1, 12, 0, 0, 123000, tzinfo=UTC)


def product(number: int) -> uuid.UUID:
    """The same id for the same number."""
    return uuid.uuid5(uuid.NAMESPACE_OID, f"product {number}")


def sample_events(
    count: int, *, products: int = 5, first_position: int = 1, data: bytes = b"{}"
) -> list[RecordedEvent]:
    """`count` events in position order; `first_position` continues an earlier call."""
    return [
        sample_event(position, product((position - 1) % products), 1 + (position - 1) // products, data=data)
        for position in range(first_position, first_position + count)
    ]


def sample_event(
    position: int,
    product_id: uuid.UUID,
    stream_version: int,
    *,
    event_type: str | None = None,
    data: bytes = b"{}",
) -> RecordedEvent:
    """Version 1 is `product-created`, later ones `product-price-changed`, unless said otherwise."""
    kind = event_type or ("product-created" if stream_version == 1 else "product-price-changed")
    metadata = EventMetadata(uuid.uuid5(uuid.NAMESPACE_OID, f"event {position}"), f"correlation-{position}")
    return RecordedEvent(position, product_id, stream_version, kind, 1, data, metadata, RECORDED_AT)


def versions_by_product(events: Iterable[RecordedEvent]) -> dict[str, list[int]]:
    """Product id -> versions in the order met."""
    versions: dict[str, list[int]] = {}
    for event in events:
        versions.setdefault(str(event.product_id), []).append(event.stream_version)
    return versions


def without_repeats(versions: Sequence[int]) -> list[int]:
    """What a consumer keeps that drops every version it has; a gap stays visible as a gap."""
    kept: list[int] = []
    for version in versions:
        if not kept or version > kept[-1]:
            kept.append(version)
    return kept
