"""Histories of products: by hand, and at random but always ones that the writer could have appended."""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import uuid_utils.compat as uuid_utils
from hypothesis import strategies as st

from shared.contract import events as e
from shared.contract.codec import encode_event
from shared.contract.recorded_event import EventMetadata, RecordedEvent

_positions = itertools.count(1000)
START = datetime(2026, 1, 1, tzinfo=UTC)


def new_product_id() -> UUID:
    return uuid_utils.uuid7()


def variant(sku: str = "S-1", amount: str = "10.00") -> e.Variant:
    return e.Variant(sku=sku, options={"size": sku}, price=e.Money(amount, "EUR"))


def created(
    name: str = "Shirt", *, category: str | None = "apparel/shirts", slug: str = "shirt"
) -> e.ProductCreated:
    return e.ProductCreated(
        slug=slug, name=name, variants=(variant(),), category=category, tags=("men", 'a "quoted\\" tag, {}')
    )


def priced(amount: str, sku: str = "S-1") -> e.PriceChanged:
    return e.PriceChanged(sku, e.Money(amount, "EUR"), e.Money("1.00", "EUR"))


def recorded(
    product_id: UUID, stream_version: int, event: e.ProductEvent, log_position: int | None = None
) -> RecordedEvent:
    """The event as the log has it; time and position follow the version where not given."""
    encoded = encode_event(event)
    return RecordedEvent(
        log_position=log_position or stream_version,
        product_id=product_id,
        stream_version=stream_version,
        event_type=encoded.event_type,
        schema_version=encoded.schema_version,
        data=encoded.data,
        metadata=EventMetadata(event_id=uuid_utils.uuid7(), correlation_id=f"request-{stream_version}"),
        recorded_at=START + timedelta(seconds=stream_version),
    )


def history(
    product_id: UUID, *happened: e.ProductEvent, first_position: int | None = None
) -> list[RecordedEvent]:
    """The events of one product as versions 1, 2, 3 …; positions that nobody else has, if not given."""
    positions = _positions if first_position is None else itertools.count(first_position)
    return [
        recorded(product_id, version, event, next(positions))
        for version, event in enumerate(happened, start=1)
    ]


_texts = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
_amounts = st.integers(0, 99_999).map(lambda cents: f"{cents // 100}.{cents % 100:02}")
_money = st.builds(e.Money, _amounts, st.sampled_from(["EUR", "USD"]))
_optional = st.none() | _texts


@st.composite
def random_history(draw: st.DrawFn, events_max: int = 12) -> Sequence[e.ProductEvent]:
    """What one product may go through, from created to perhaps deleted."""
    skus = ["S-0"]
    happened: list[e.ProductEvent] = [
        e.ProductCreated(
            slug="s",
            name=draw(_texts),
            variants=(e.Variant("S-0", {}, draw(_money)),),
            tags=tuple(draw(st.lists(_texts, max_size=3))),
        )
    ]
    for number in range(1, draw(st.integers(1, events_max))):
        kind = draw(st.sampled_from(["details", "add", "change", "remove", "price", "status", "delete"]))
        if kind == "details":
            fields = draw(
                st.fixed_dictionaries(
                    {},
                    optional={
                        "name": _texts,
                        "brand": _optional,
                        "category": _optional,
                        "tags": st.none() | st.lists(_texts, max_size=3).map(tuple),
                        "attributes": st.none() | st.dictionaries(_texts, _texts, max_size=2),
                        "images": st.none() | st.just((e.Image("https://example.test/1"),)),
                    },
                )
            )
            happened.append(e.ProductDetailsChanged(**fields))
        elif kind == "add":
            skus.append(f"S-{number}")
            happened.append(e.VariantAdded(skus[-1], {}, draw(_money)))
        elif kind == "change":
            happened.append(
                e.VariantChanged(draw(st.sampled_from(skus)), {"colour": draw(_texts)}, draw(_money))
            )
        elif kind == "remove" and len(skus) > 1:
            happened.append(e.VariantRemoved(skus.pop(draw(st.integers(0, len(skus) - 1)))))
        elif kind == "status":
            happened.append(
                draw(st.sampled_from([e.ProductPublished(), e.ProductArchived(), e.ProductRestored()]))
            )
        elif kind == "delete":
            happened.append(e.ProductDeleted())
            break
        else:
            happened.append(e.PriceChanged(draw(st.sampled_from(skus)), draw(_money), draw(_money)))
    return happened
