"""Converts events between memory and storage: explicit names, schema versions, and JSON bytes.

The names are the contract with every consumer and with old events in the log, so they are listed here one by
one and never derived from a class.

    CodecError
    +-- UnknownEventType       this code does not know the type: count it as skipped, and continue
    +-- UnknownSchemaVersion   a known type with an unknown schema version: park it
    +-- MalformedEventData     the bytes do not have the shape of the type and version: park it
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from shared.contract import events as e
from shared.contract.upcasters import UPCASTERS


class CodecError(ValueError):
    """The stored bytes cannot be decoded to an event."""


class UnknownEventType(CodecError):
    """This code does not know the event type."""


class UnknownSchemaVersion(CodecError):
    """This code knows the event type, but not its schema version."""


class MalformedEventData(CodecError):
    """Not JSON, or not the shape of its event type and schema version."""


class StoredType(NamedTuple):
    """The name and schema version of one event class in the log."""

    event_class: type[e.ProductEvent]
    event_type: str
    schema_version: int


STORED_TYPES: tuple[StoredType, ...] = (
    StoredType(e.ProductCreated, "product-created", 2),
    StoredType(e.ProductDetailsChanged, "product-details-changed", 2),
    StoredType(e.VariantAdded, "product-variant-added", 1),
    StoredType(e.VariantChanged, "product-variant-changed", 1),
    StoredType(e.VariantRemoved, "product-variant-removed", 1),
    StoredType(e.PriceChanged, "product-price-changed", 1),
    StoredType(e.ProductPublished, "product-published", 1),
    StoredType(e.ProductArchived, "product-archived", 1),
    StoredType(e.ProductRestored, "product-restored", 1),
    StoredType(e.ProductDeleted, "product-deleted", 1),
)

_by_class: Mapping[type, StoredType] = {stored.event_class: stored for stored in STORED_TYPES}
_by_name: Mapping[str, StoredType] = {stored.event_type: stored for stored in STORED_TYPES}
_decoders: Mapping[str, msgspec.json.Decoder[Any]] = {
    stored.event_type: msgspec.json.Decoder(stored.event_class) for stored in STORED_TYPES
}
_encoder = msgspec.json.Encoder()


class EncodedEvent(NamedTuple):
    """One event as the log stores it: `data` is UTF-8 JSON."""

    event_type: str
    schema_version: int
    data: bytes


def event_types_of(*event_classes: type[e.ProductEvent]) -> frozenset[str]:
    """The event types of these classes, for a projection that skips all others."""
    return frozenset(_by_class[event_class].event_type for event_class in event_classes)


def encode_event(event: e.ProductEvent) -> EncodedEvent:
    """The stored form, always in the current schema version."""
    stored = _by_class[type(event)]
    return EncodedEvent(stored.event_type, stored.schema_version, _encoder.encode(event))


def decode_event(event_type: str, schema_version: int, data: bytes) -> e.ProductEvent:
    """Decodes an event and upcasts it to the current schema version.

    Raises `UnknownEventType`, `UnknownSchemaVersion` or `MalformedEventData`.
    """
    stored = _by_name.get(event_type)
    if stored is None:
        raise UnknownEventType(event_type)
    try:
        if schema_version == stored.schema_version:
            decoded: e.ProductEvent = _decoders[event_type].decode(data)
            return decoded
        return _decode_older(stored, schema_version, data)
    except msgspec.MsgspecError as error:
        raise MalformedEventData(f"{event_type} v{schema_version}: {error}") from error


def _decode_older(stored: StoredType, schema_version: int, data: bytes) -> e.ProductEvent:
    if not 1 <= schema_version < stored.schema_version:
        raise UnknownSchemaVersion(f"{stored.event_type} v{schema_version}")
    shape = msgspec.json.decode(data, type=dict[str, Any])
    for step in range(schema_version, stored.schema_version):
        shape = UPCASTERS[stored.event_type, step](shape)
    upcast: e.ProductEvent = msgspec.convert(shape, stored.event_class)
    return upcast
