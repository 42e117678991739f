"""Appends as the use case would make them, for tests that speak to an event store directly."""

from collections.abc import Iterable
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from command_api.domain.product import Reservation
from command_api.executing.ports import Append, KeyedAnswer, NewEvent, Stream
from shared.contract import events as e
from shared.contract.codec import encode_event
from shared.contract.recorded_event import EventMetadata


def new_event(event: e.ProductEvent) -> NewEvent:
    event_id = uuid7()
    return NewEvent(encode_event(event), event_id, msgspec.json.encode(EventMetadata(event_id, "test")))


def answer_under(
    key: UUID, body: bytes = b"{}", fingerprint: UUID | None = None, status: int = 201
) -> KeyedAnswer:
    return KeyedAnswer(key, fingerprint or UUID(int=1), status, body)


def creation(
    slug: str, *skus: str, product_id: UUID | None = None, answer: KeyedAnswer | None = None
) -> Append:
    """A new product with these SKUs (its slug as the one SKU by default)."""
    named = skus or (slug,)
    variants = tuple(e.Variant(sku, {}, e.Money("1.00", "USD")) for sku in named)
    claims: Iterable[Reservation] = [("s", slug), *(("k", sku) for sku in named)]
    event = new_event(e.ProductCreated(slug, slug, variants))
    return Append(product_id or uuid7(), 0, 0, [event], frozenset(claims), frozenset(), answer)


def change(
    product_id: UUID,
    stream: Stream,
    *events: e.ProductEvent,
    claims: Iterable[Reservation] = (),
    releases: Iterable[Reservation] = (),
    answer: KeyedAnswer | None = None,
) -> Append:
    """The events (a new name by default) on top of what was loaded."""
    happened = [new_event(event) for event in events or (e.ProductDetailsChanged(name="other"),)]
    return Append(
        product_id,
        stream.stream_version,
        stream.last_position,
        happened,
        frozenset(claims),
        frozenset(releases),
        answer,
    )


def no_op(product_id: UUID, stream: Stream, answer: KeyedAnswer) -> Append:
    """Nothing to change: only the answer is kept."""
    return Append(product_id, stream.stream_version, stream.last_position, [], answer=answer)


def at(stream_version: int, last_position: int = 0) -> Stream:
    """A stream as somebody believes that it stands."""
    return Stream(stream_version, last_position, ())
