"""Events of a product at times that a test chooses, as the log has them."""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import uuid_utils.compat as uuid_utils

from shared.contract import events as e
from shared.contract.codec import encode_event
from shared.contract.recorded_event import EventMetadata, RecordedEvent

_positions = itertools.count(1)
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def variant(sku: str = "S-1", amount: str = "10.00", currency: str = "EUR", **fields: Any) -> e.Variant:
    return e.Variant(**{"sku": sku, "options": {}, "price": e.Money(amount, currency), **fields})


def created(*variants: e.Variant, **fields: Any) -> e.ProductCreated:
    """A draft; with one variant at 10.00 EUR if none is given."""
    usual = {"slug": "shirt", "name": "Shirt"}
    return e.ProductCreated(variants=variants or (variant(),), **{**usual, **fields})


def priced(amount: str, sku: str = "S-1", currency: str = "EUR") -> e.PriceChanged:
    money = e.Money(amount, currency)
    return e.PriceChanged(sku, money, money)


def past_events(
    *happened: e.ProductEvent,
    times: Sequence[datetime] | None = None,
    actor: str | None = "ann",
) -> list[RecordedEvent]:
    """The events of a new product: a day apart from `BEGAN` on, or at `times`."""
    product_id = uuid_utils.uuid7()
    recorded = []
    for version, event in enumerate(happened, start=1):
        encoded = encode_event(event)
        recorded.append(
            RecordedEvent(
                log_position=next(_positions),
                product_id=product_id,
                stream_version=version,
                event_type=encoded.event_type,
                schema_version=encoded.schema_version,
                data=encoded.data,
                metadata=EventMetadata(uuid_utils.uuid7(), f"request-{version}", actor=actor),
                recorded_at=times[version - 1] if times else BEGAN + timedelta(days=version - 1),
            )
        )
    return recorded
