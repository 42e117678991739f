"""The events of the model as the events of the catalogue, and back."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec

from shared.contract import events as e
from shared.contract.codec import encode_event
from tests.sharding.checker import Found
from tests.sharding.commands import key_names, names_of, names_to_give_up
from tests.sharding.operations import Event, Stream, shard_of_product

_PRICE = e.Money("1.00", "USD")


def catalogue_event(event: Event) -> e.ProductEvent:
    """What the log of a shard stores."""
    match event.kind:
        case "create":
            slug = next((name[2:] for name in event.given if name.startswith("s:")), "")
            skus = [name[2:] for name in event.given if name.startswith("k:")]
            return e.ProductCreated(slug, slug, tuple(e.Variant(sku, {}, _PRICE) for sku in skus))
        case "add":
            return e.VariantAdded(event.given[0][2:], {}, _PRICE)
        case "remove":
            return e.VariantRemoved(event.taken[0][2:])
        case "rename":
            return e.ProductDetailsChanged(slug=event.given[0][2:])
        case "delete":
            return e.ProductDeleted()
        case _:
            return e.ProductDetailsChanged(name=event.key)


def model_event(before: Iterable[Event], event: e.ProductEvent, claim: str, key: str, position: int) -> Event:
    """The same, from a log; `before` says what a new slug or a deletion takes away."""
    given: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()
    kind = "touch"
    match event:
        case e.ProductCreated():
            kind, given = "create", (f"s:{event.slug}", *(f"k:{each.sku}" for each in event.variants))
            given = (*given, *key_names(key))
        case e.VariantAdded():
            kind, given = "add", (f"k:{event.sku}",)
        case e.VariantRemoved():
            kind, taken = "remove", (f"k:{event.sku}",)
        case e.ProductDetailsChanged() if event.slug is not msgspec.UNSET:
            kind, given = "rename", (f"s:{event.slug}",)
            taken = tuple(sorted(name for name in names_of(before) if name.startswith("s:")))
        case e.ProductDeleted():
            kind, taken = "delete", names_to_give_up(names_of(before))
        case _:
            given = key_names(key)
    return Event(kind, given, taken, claim, key, position)


def found_in(streams: Iterable[tuple[UUID, Stream]]) -> list[Found]:
    """What the checker would find in the logs of these streams."""
    return [
        Found(shard_of_product(product_id), event.position, product_id, version, *_json(event), event.key)
        for product_id, stream in streams
        for version, event in enumerate(stream.events, 1)
    ]


_known: dict[Event, tuple[str, dict[str, Any]]] = {}


def _json(event: Event) -> tuple[str, dict[str, Any]]:
    if event not in _known:
        encoded = encode_event(catalogue_event(event))
        _known[event] = (encoded.event_type, msgspec.json.decode(encoded.data))
    return _known[event]
