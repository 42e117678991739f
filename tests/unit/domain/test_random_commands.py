"""Random commands against a model that is nothing but a dict: what is folded must agree with it."""

from copy import deepcopy
from typing import Any

import msgspec
import pytest
from hypothesis import given as given_random
from hypothesis import settings
from hypothesis import strategies as st

from command_api.domain import commands as c
from command_api.domain.decide import decide
from command_api.domain.errors import (
    LastVariant,
    ProductNotFound,
    Refused,
    TransitionNotAllowed,
    VariantNeedsPrice,
    VariantNotFound,
)
from command_api.domain.product import DETAILS, Product, evolve, reservations
from shared.contract import events as e
from shared.contract.codec import decode_event, encode_event
from tests.unit.domain.samples import created, whole

Model = dict[str, Any]
_texts = st.text(st.characters(codec="utf-8"), max_size=3)
_money = st.builds(e.Money, st.sampled_from(["1.00", "2.00", "3.00"]), st.sampled_from(["EUR", "USD"]))
_skus = st.sampled_from(["A", "B", "C", "a/b"])
_variants = st.builds(
    e.Variant,
    _skus,
    st.dictionaries(_texts, _texts, max_size=1),
    _money,
    st.none() | _money,
    st.none() | _texts,
)
_json = st.recursive(
    st.sampled_from([None, 0, 1, False, True, 1.0]) | _texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=2),
    max_leaves=4,
)
_attributes = st.dictionaries(st.sampled_from("xyz"), _json, max_size=2)
_images = st.lists(st.builds(e.Image, st.sampled_from(["u", "v"])), max_size=2).map(tuple)
_tags = st.lists(st.sampled_from("pq"), max_size=2, unique=True).map(tuple)
_patches = st.fixed_dictionaries(
    {},
    optional={
        "name": _texts,
        "slug": st.sampled_from(["s", "t"]),
        "brand": st.none() | _texts,
        "tags": st.none() | _tags,
        "attributes": st.none() | _attributes,
        "images": st.none() | _images,
    },
)
_products = st.builds(
    lambda variants, name, tags, attributes: created(*variants, name=name, tags=tags, attributes=attributes),
    st.lists(_variants, min_size=1, max_size=3, unique_by=lambda variant: variant.sku),
    _texts,
    _tags,
    _attributes,
)
_variant_fields = st.fixed_dictionaries(
    {"options": st.sampled_from([{"o": "1"}, {"o": "2"}, {"o": "3"}])},
    optional={"price": _money, "compare_at_price": st.none() | _money, "barcode": st.none() | _texts},
)
_upserts = st.builds(
    c.UpsertProduct,
    st.just("s"),
    _patches.map(lambda patch: {field: value for field, value in patch.items() if field != "slug"}),
    st.none()
    | st.lists(
        st.builds(c.VariantUpsert, _skus, _variant_fields),
        min_size=1,
        max_size=3,
        unique_by=lambda one: one.sku,
    ).map(tuple),
)
_commands = st.one_of(
    st.builds(whole, _products),
    _upserts,
    st.builds(c.ChangeDetails, _patches),
    # The same few values again and again: what is equal in Python and different in JSON must meet.
    st.sampled_from([0, 1, False, True, 1.0]).map(
        lambda value: c.ChangeDetails({"attributes": {"x": value}})
    ),
    st.builds(c.PutVariant, _variants),
    st.builds(c.RemoveVariant, _skus),
    st.builds(c.ChangePrice, _skus, _money),
    st.sampled_from([c.PublishProduct(), c.ArchiveProduct(), c.RestoreProduct(), c.PublishProduct()]),
    st.just(c.DeleteProduct()) | st.builds(c.PutVariant, _variants),
)


@settings(max_examples=300, deadline=None)
@given_random(_products, st.lists(_commands, max_size=12))
def test_every_sequence_of_commands_leaves_what_a_plain_dict_would_hold(
    product: e.ProductCreated, commands: list[c.Command]
) -> None:
    state = evolve(None, product)
    model = _model_of(product)
    for command in commands:
        expected: Model | type[Refused] = _apply(deepcopy(model), command)
        if not isinstance(expected, dict):
            with pytest.raises(expected):
                decide(command, state)
            continue
        events = decide(command, state)
        before = state
        for event in events:
            state = evolve(state, decode_event(*encode_event(event)))
        assert _typed(_seen(state)) == _typed(expected)
        assert list(state.variants) == list(expected["variants"])
        # Nothing is decided without need, and nothing is kept from being decided.
        was_reordered = list(state.variants) != list(before.variants)
        assert bool(events) == (was_reordered or _typed(_seen(state)) != _typed(_seen(before)))
        model = expected
        held = (
            set()
            if model["status"] == "deleted"
            else {("s", model["slug"]), *(("k", k) for k in model["variants"])}
        )
        assert reservations(state) == held


def _model_of(product: e.ProductCreated) -> Model:
    details = {field: getattr(product, field) for field in DETAILS}
    return {**details, "status": "draft", "variants": {variant.sku: variant for variant in product.variants}}


def _seen(state: Product) -> Model:
    details = {field: getattr(state, field) for field in DETAILS}
    return {**details, "status": state.status, "variants": dict(state.variants)}


def _apply(model: Model, command: c.Command) -> Model | type[Refused]:
    if model["status"] == "deleted":
        return ProductNotFound
    match command:
        case c.UpsertProduct(_, changes, variants):
            return _upserted(model, changes, variants)
        case c.ChangeDetails(changes):
            return _patched(model, changes)
        case c.PutVariant(variant):
            model["variants"][variant.sku] = variant
        case c.RemoveVariant(sku) | c.ChangePrice(sku) if sku not in model["variants"]:
            return VariantNotFound
        case c.RemoveVariant(sku):
            if len(model["variants"]) == 1:
                return LastVariant
            del model["variants"][sku]
        case c.ChangePrice(sku, price):
            old = model["variants"][sku]
            model["variants"][sku] = e.Variant(old.sku, old.options, price, old.compare_at_price, old.barcode)
        case c.DeleteProduct():
            model["status"] = "deleted"
        case _:
            return _moved(model, command)
    return model


def _upserted(
    model: Model, changes: dict[str, Any], wanted: tuple[c.VariantUpsert, ...] | None
) -> Model | type[Refused]:
    """With SKUs in each variant; that it is found by its options is a test of its own."""
    empty: Model = {"tags": (), "attributes": {}, "images": ()}
    model |= {field: empty.get(field) if value is None else value for field, value in changes.items()}
    if wanted is None:
        return model
    old: dict[str, e.Variant] = model["variants"]
    renamed = {sku: each for sku, each in old.items() if sku not in {one.sku for one in wanted}}
    new: dict[str, e.Variant] = {}
    for place, one in enumerate(wanted):
        assert one.sku is not None
        base = old.get(one.sku)
        if base is None:
            options = one.changes["options"]
            alike = [sku for sku, each in renamed.items() if each.options == options]
            rivals = [
                each for each in wanted[place:] if each.sku not in old and each.changes["options"] == options
            ]
            base = renamed.pop(alike[0]) if alike and len(alike) <= len(rivals) else None
        values = {} if base is None else msgspec.structs.asdict(base)
        values |= one.changes
        if "price" not in values:
            return VariantNeedsPrice
        new[one.sku] = e.Variant(**{**values, "sku": one.sku})
    return {**model, "variants": new}


def _moved(model: Model, command: c.Command) -> Model | type[Refused]:
    arrows: dict[type, tuple[str, str]] = {
        c.PublishProduct: ("draft", "active"),
        c.ArchiveProduct: ("active", "archived"),
        c.RestoreProduct: ("archived", "active"),
    }
    start, end = arrows[type(command)]
    return {**model, "status": end} if model["status"] in (start, end) else TransitionNotAllowed


def _patched(model: Model, changes: dict[str, Any]) -> Model:
    empty: Model = {"tags": (), "attributes": {}, "images": ()}
    for field, value in changes.items():
        if value is None:
            model[field] = empty.get(field)
        else:
            model[field] = _merged(model[field], value) if field == "attributes" else value
    return model


def _merged(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    merged: Model = {**target} if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merged(merged.get(key), value)
    return merged


def _typed(value: Any) -> Any:
    """The value with the types of its numbers, because True == 1 and yet they are different JSON."""
    if isinstance(value, dict):
        return {key: _typed(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_typed(each) for each in value]
    return (type(value).__name__, value)
