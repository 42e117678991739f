"""Upserts: what is absent is kept, null clears; how variants are found, named and ordered."""

from typing import Any

import msgspec
import pytest

from command_api.domain.commands import UpsertProduct, VariantUpsert
from command_api.domain.decide import decide
from command_api.domain.errors import NewProductIncomplete, VariantAmbiguous, VariantNeedsPrice
from command_api.domain.product import Product, evolve
from command_api.domain.upsert import claimable_skus, new_product
from shared.contract import events as e
from shared.contract.events import Money
from tests.unit.domain.samples import LARGE, MEDIUM, added, changed, created, whole
from tests.unit.domain.specification import given

PRICE = Money("1.00", "USD")
SMALL = e.Variant("OBS-S", {"size": "S"}, PRICE)
FULL = created(MEDIUM, LARGE, description="Warm", product_type="Shirts", category="apparel/shirts")


def upsert(*variants: VariantUpsert, **changes: Any) -> UpsertProduct:
    return UpsertProduct("ocean-blue-shirt", changes, variants or None)


def one(sku: str | None = None, **changes: Any) -> VariantUpsert:
    return VariantUpsert(sku, changes)


def test_what_an_upsert_does_not_name_stays_as_it_is() -> None:
    given(FULL).when(upsert()).then_nothing()
    given(FULL).when(upsert(name="Ocean Blue Shirt")).then_nothing()
    given(FULL).when(upsert(one("OBS-M"), one("OBS-L"))).then_nothing()
    dearer = upsert(one("OBS-M", price=PRICE), one("OBS-L"), name="Sea")
    given(FULL).when(dearer).then(
        e.ProductDetailsChanged(name="Sea"), e.PriceChanged("OBS-M", PRICE, MEDIUM.price)
    )


@pytest.mark.parametrize(
    "field", ["description", "brand", "product_type", "category", "tags", "attributes", "images"]
)
def test_null_clears_a_field_of_the_product(field: str) -> None:
    given(FULL).when(upsert(**{field: None})).then(e.ProductDetailsChanged(**{field: None}))


@pytest.mark.parametrize("field", ["compare_at_price", "barcode", "weight_grams", "options"])
def test_null_clears_a_field_of_a_variant(field: str) -> None:
    cleared = msgspec.structs.replace(LARGE, **{field: {} if field == "options" else None})
    given(FULL).when(upsert(one("OBS-M"), one("OBS-L", **{field: None}))).then(changed(cleared))


def test_attributes_that_are_given_are_the_whole() -> None:
    given(FULL).when(upsert(attributes={"fit": "slim"})).then(
        e.ProductDetailsChanged(attributes={"fit": "slim"})
    )


def test_variants_that_the_list_does_not_name_are_removed() -> None:
    given(FULL).when(upsert(one("OBS-L"))).then(e.VariantRemoved("OBS-M"))


def test_variants_stand_in_the_order_of_the_list() -> None:
    turned = upsert(one("OBS-L"), one("OBS-M"))
    after = given(FULL).when(turned).then(e.ProductDetailsChanged(variant_order=("OBS-L", "OBS-M")))
    assert after is not None
    assert list(after.variants) == ["OBS-L", "OBS-M"]
    between = upsert(one("OBS-M"), one("OBS-S", options={"size": "S"}, price=PRICE), one("OBS-L"))
    after = (
        given(FULL)
        .when(between)
        .then(added(SMALL), e.ProductDetailsChanged(variant_order=("OBS-M", "OBS-S", "OBS-L")))
    )
    assert after is not None
    assert list(after.variants) == ["OBS-M", "OBS-S", "OBS-L"]


def test_a_variant_that_is_added_last_needs_no_order() -> None:
    longer = upsert(one("OBS-M"), one("OBS-L"), one("OBS-S", options={"size": "S"}, price=PRICE))
    given(FULL).when(longer).then(added(SMALL))


def test_an_order_that_names_too_much_or_too_little_still_folds() -> None:
    order = e.ProductDetailsChanged(variant_order=("gone", "OBS-L"))
    state = given(FULL, order).state
    assert state is not None
    assert list(state.variants) == ["OBS-L", "OBS-M"]


def test_a_variant_without_a_sku_is_the_one_with_its_options_and_keeps_its_sku() -> None:
    priced = upsert(one(options={"size": "L"}, price=PRICE), one(options={"size": "M"}))
    given(FULL).when(priced).then(
        e.PriceChanged("OBS-L", PRICE, LARGE.price),
        e.ProductDetailsChanged(variant_order=("OBS-L", "OBS-M")),
    )


def test_the_only_variant_needs_neither_sku_nor_options() -> None:
    given(created(LARGE)).when(upsert(one(price=PRICE))).then(e.PriceChanged("OBS-L", PRICE, LARGE.price))


def test_a_variant_that_may_be_one_of_several_is_refused_and_they_are_named() -> None:
    refusal = given(FULL).when(upsert(one(price=PRICE))).then_refused(VariantAmbiguous)
    assert "'OBS-M', 'OBS-L'" in str(refusal)
    assert isinstance(refusal, VariantAmbiguous)
    assert refusal.pointers == ("/variants/0",)


def test_of_several_variants_with_the_same_options_none_is_picked_at_random() -> None:
    alike = [e.Variant(sku, {"size": "S"}, PRICE, None, sku) for sku in ("A", "B")]
    given(created(*alike)).when(upsert(one(options={"size": "S"}, price=MEDIUM.price))).then_refused(
        VariantAmbiguous
    )
    given(created(*alike)).when(upsert(one(options={"size": "S"}), one(options={"size": "S"}))).then_nothing()
    given(created(*alike)).when(upsert(one("C", options={"size": "S"}, price=PRICE))).then(
        e.VariantRemoved("A"), e.VariantRemoved("B"), added(e.Variant("C", {"size": "S"}, PRICE))
    )


def test_a_new_sku_for_the_same_options_keeps_the_rest_of_the_variant() -> None:
    renamed = msgspec.structs.replace(LARGE, sku="NEW-L", price=PRICE)
    given(FULL).when(upsert(one("OBS-M"), one("NEW-L", options={"size": "L"}, price=PRICE))).then(
        e.VariantRemoved("OBS-L"), added(renamed)
    )
    given(created(LARGE)).when(upsert(one("NEW-L", price=PRICE))).then(
        e.VariantRemoved("OBS-L"), added(renamed)
    )


def test_a_new_variant_needs_a_price_and_gets_a_sku_of_slug_and_option_values() -> None:
    refusal = (
        given(FULL).when(upsert(one("OBS-M"), one(options={"size": "XL"}))).then_refused(VariantNeedsPrice)
    )
    assert isinstance(refusal, VariantNeedsPrice)
    assert refusal.pointers == ("/variants/1/price",)
    made = e.Variant("ocean-blue-shirt-xl-dark-blue", {"size": "XL", "colour": "Dark Blue"}, PRICE)
    wanted = upsert(one("OBS-M"), one("OBS-L"), one(options=dict(made.options), price=PRICE))
    given(FULL).when(wanted).then(added(made))


def test_a_new_product_needs_a_name_variants_and_their_prices() -> None:
    with pytest.raises(NewProductIncomplete) as refused:
        new_product(upsert(brand="x"))
    assert refused.value.pointers == ("/name", "/variants")
    with pytest.raises(VariantNeedsPrice):
        new_product(upsert(one("A"), name="x"))
    product = new_product(upsert(one(price=PRICE), name="x", tags=None, attributes=None))
    assert product == e.ProductCreated("ocean-blue-shirt", "x", (e.Variant("ocean-blue-shirt", {}, PRICE),))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_made_skus_that_collide_are_numbered_by_option_values_and_not_by_rows(order: tuple[int, ...]) -> None:
    rows = [one(options={"size": size}, price=PRICE) for size in ("A+", "A-", "A/")]
    product = new_product(upsert(*(rows[index] for index in order), name="x"))
    assert {variant.options["size"]: variant.sku for variant in product.variants} == {
        "A+": "ocean-blue-shirt-a",
        "A-": "ocean-blue-shirt-a-2",
        "A/": "ocean-blue-shirt-a-3",
    }


def test_a_made_sku_keeps_out_of_the_way_of_stated_and_of_stored_ones() -> None:
    stated = new_product(
        upsert(one("ocean-blue-shirt-a", price=PRICE), one(options={"s": "a"}, price=PRICE), name="x")
    )
    assert [variant.sku for variant in stated.variants] == ["ocean-blue-shirt-a", "ocean-blue-shirt-a-2"]
    stored = e.Variant("ocean-blue-shirt-a", {"s": "A+"}, PRICE)
    wanted = upsert(one(options={"s": "A+"}), one(options={"s": "A*"}, price=PRICE))
    after = _after(created(stored), wanted)
    assert [variant.options["s"] for variant in after.variants.values()] == ["A+", "A*"]
    assert next(iter(after.variants)) == "ocean-blue-shirt-a"


def test_a_made_sku_has_at_most_255_characters_and_stays_the_same() -> None:
    options = {"a": "x" * 250, "b": "y" * 250}
    (first,) = new_product(upsert(one(options=options, price=PRICE), name="x")).variants
    (again,) = new_product(upsert(one(options=options, price=PRICE), name="x")).variants
    (other,) = new_product(upsert(one(options={**options, "b": "z" * 250}, price=PRICE), name="x")).variants
    assert first.sku == again.sku != other.sku
    assert len(first.sku) <= 255
    assert first.sku.startswith("ocean-blue-shirt-xxx")


def test_whatever_an_upsert_adds_is_among_the_skus_that_it_may_claim() -> None:
    wanted = upsert(
        one("B", price=PRICE),
        one(options={"s": "A+"}, price=PRICE),
        one(options={"s": "A-"}, price=PRICE),
        name="x",
    )
    stored = e.Variant("ocean-blue-shirt-a", {"s": "A-"}, PRICE)
    for before in (created(stored), created(MEDIUM), created(MEDIUM, stored)):
        after = _after(before, wanted)
        held = {variant.sku for variant in before.variants}
        assert set(after.variants) - held <= claimable_skus(wanted)
        assert len(after.variants) == 3


def test_an_upsert_of_the_whole_product_again_changes_nothing() -> None:
    given(FULL).when(whole(FULL)).then_nothing()


def _after(before: e.ProductCreated, command: UpsertProduct) -> Product:
    state = given(before).state

    for event in decide(command, state):
        state = evolve(state, event)
    assert state is not None
    assert decide(command, state) == []
    return state
