"""The product document after each event: one fold, so that table, cache, topic and history agree."""

from typing import Any, assert_never

from msgspec import UNSET
from msgspec.structs import asdict, replace

from shared.contract import events as e
from shared.contract.codec import STORED_TYPES
from shared.contract.recorded_event import RecordedEvent
from shared.contract.views import ProductDocument

EVENT_TYPES = frozenset(stored.event_type for stored in STORED_TYPES)
"""All event types: each changes the document."""


class HistoryDoesNotFold(ValueError):
    """The event cannot follow the earlier ones: its product does not exist, or its SKU is unknown.

    The one way in which a fold fails. The log's writer never appends such a history, so it is a defect, and
    never skipped.
    """


def apply_event(
    document: ProductDocument | None, event: e.ProductEvent, recorded: RecordedEvent
) -> ProductDocument | None:
    """The document after `event`; None: the product does not exist yet, or is deleted.

    `recorded` gives the id, the version and the time. Raises `HistoryDoesNotFold`.
    """
    if isinstance(event, e.ProductCreated):
        return _created(document, event, recorded)
    if document is None:
        raise HistoryDoesNotFold(f"{recorded.event_type} on a product that is not there")
    if isinstance(event, e.ProductDeleted):
        return None
    return replace(
        document,
        version=recorded.stream_version,
        updated_at=recorded.recorded_at,
        **_changed(document, event, recorded),
    )


def skip_event(document: ProductDocument, recorded: RecordedEvent) -> ProductDocument:
    """The document after an event of an unknown type: only version and time change.

    So a type that only newer code knows still counts as a version, and the ETags of both APIs agree.
    """
    return replace(document, version=recorded.stream_version, updated_at=recorded.recorded_at)


def _created(
    document: ProductDocument | None, event: e.ProductCreated, recorded: RecordedEvent
) -> ProductDocument:
    if document is not None:
        raise HistoryDoesNotFold("created twice")
    return ProductDocument(
        id=recorded.product_id,
        version=recorded.stream_version,
        status="draft",
        slug=event.slug,
        name=event.name,
        description=event.description,
        brand=event.brand,
        product_type=event.product_type,
        category=event.category,
        tags=event.tags,
        attributes=event.attributes,
        images=event.images,
        variants=event.variants,
        created_at=recorded.recorded_at,
        updated_at=recorded.recorded_at,
        published_at=None,
    )


_Change = (
    e.ProductDetailsChanged
    | e.VariantAdded
    | e.VariantChanged
    | e.VariantRemoved
    | e.PriceChanged
    | e.ProductPublished
    | e.ProductArchived
    | e.ProductRestored
)


def _changed(document: ProductDocument, event: _Change, recorded: RecordedEvent) -> dict[str, Any]:
    """The fields whose value changes."""
    match event:
        case e.ProductDetailsChanged():
            return _details(event, document)
        case e.VariantAdded():
            return {"variants": (*document.variants, _plain(event))}
        case e.VariantChanged():
            return {"variants": _with_variant(document, _plain(event))}
        case e.VariantRemoved(sku=sku):
            _variant(document, sku)
            return {"variants": tuple(v for v in document.variants if v.sku != sku)}
        case e.PriceChanged(sku=sku, price=price):
            return {"variants": _with_variant(document, replace(_variant(document, sku), price=price))}
        case e.ProductPublished():
            return {"status": "active", "published_at": document.published_at or recorded.recorded_at}
        case e.ProductArchived():
            return {"status": "archived"}
        case e.ProductRestored():
            return {"status": "active"}
        case _:
            assert_never(event)


def _details(changed: e.ProductDetailsChanged, document: ProductDocument) -> dict[str, Any]:
    """UNSET leaves a field as it is, null clears it; a cleared list or mapping is an empty one."""
    fields = {name: value for name, value in asdict(changed).items() if value is not UNSET}
    order = fields.pop("variant_order", None)
    if order is not None:
        fields["variants"] = _ordered(document.variants, order)
    for name, empty in (("tags", ()), ("images", ()), ("attributes", {})):
        if name in fields and fields[name] is None:
            fields[name] = empty
    return fields


def _ordered(variants: tuple[e.Variant, ...], order: tuple[str, ...]) -> tuple[e.Variant, ...]:
    """The variants in the given order; those that it does not name follow in their old order."""
    places = {sku: place for place, sku in enumerate(order)}
    return tuple(sorted(variants, key=lambda variant: places.get(variant.sku, len(places))))


def _plain(event: e.VariantAdded | e.VariantChanged) -> e.Variant:
    """The variant that an event contains."""
    return e.Variant(**asdict(event))


def _with_variant(document: ProductDocument, variant: e.Variant) -> tuple[e.Variant, ...]:
    """Replaced in place: variants keep their order."""
    _variant(document, variant.sku)
    return tuple([variant if one.sku == variant.sku else one for one in document.variants])


def _variant(document: ProductDocument, sku: str) -> e.Variant:
    for variant in document.variants:
        if variant.sku == sku:
            return variant
    raise HistoryDoesNotFold(f"no variant has the SKU {sku!r}")
