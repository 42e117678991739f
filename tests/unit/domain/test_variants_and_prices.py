"""Variants, prices and replacements: each command, each refusal."""

import msgspec
import pytest

from command_api.domain import commands as c
from command_api.domain.errors import LastVariant, TooManyVariants, VariantNotFound
from command_api.domain.limits import VARIANTS_MAX
from shared.contract import events as e
from shared.contract.events import Money, ProductEvent
from tests.unit.domain.samples import LARGE, MEDIUM, added, changed, created, whole
from tests.unit.domain.specification import given

FULL = created(*(msgspec.structs.replace(MEDIUM, sku=f"OBS-{n}") for n in range(VARIANTS_MAX)))


def test_a_variant_of_a_new_sku_is_added() -> None:
    after = given(created()).when(c.PutVariant(LARGE)).then(added(LARGE))
    assert after is not None
    assert after.variants == {"OBS-M": MEDIUM, "OBS-L": LARGE}
    assert type(after.variants["OBS-L"]) is e.Variant


@pytest.mark.parametrize(
    "change",
    [
        {"options": {"size": "XL"}},
        {"compare_at_price": None},
        {"compare_at_price": Money("61.00", "USD")},
        {"barcode": None},
        {"weight_grams": 0},
        {"price": Money("1.00", "USD"), "barcode": None},
    ],
)
def test_a_variant_that_differs_in_more_than_its_price_is_changed_whole(change: dict[str, object]) -> None:
    wanted = msgspec.structs.replace(LARGE, **change)
    after = given(created(MEDIUM, LARGE)).when(c.PutVariant(wanted)).then(changed(wanted))
    assert after is not None
    assert list(after.variants) == ["OBS-M", "OBS-L"]


def test_a_variant_that_differs_in_its_price_alone_is_a_price_change() -> None:
    wanted = msgspec.structs.replace(LARGE, price=Money("1.00", "EUR"))
    expected = e.PriceChanged("OBS-L", Money("1.00", "EUR"), LARGE.price)
    after = given(created(MEDIUM, LARGE)).when(c.PutVariant(wanted)).then(expected)
    assert after is not None
    assert after.variants["OBS-L"] == wanted


def test_a_variant_as_it_is_changes_nothing() -> None:
    given(created(MEDIUM, LARGE)).when(c.PutVariant(LARGE)).then_nothing()


def test_a_full_product_refuses_one_more_variant_but_takes_a_change() -> None:
    given(FULL).when(c.PutVariant(LARGE)).then_refused(TooManyVariants)
    wanted = msgspec.structs.replace(MEDIUM, sku="OBS-7", weight_grams=9)
    given(FULL).when(c.PutVariant(wanted)).then(changed(wanted))


def test_a_removed_variant_is_gone() -> None:
    after = given(created(MEDIUM, LARGE)).when(c.RemoveVariant("OBS-M")).then(e.VariantRemoved("OBS-M"))
    assert after is not None
    assert after.variants == {"OBS-L": LARGE}


def test_the_last_variant_stays() -> None:
    given(created()).when(c.RemoveVariant("OBS-M")).then_refused(LastVariant)
    history = (created(MEDIUM, LARGE), e.VariantRemoved("OBS-M"))
    given(*history).when(c.RemoveVariant("OBS-L")).then_refused(LastVariant)


def test_a_variant_that_is_not_there_is_neither_removed_nor_priced() -> None:
    given(created()).when(c.RemoveVariant("obs-m")).then_refused(VariantNotFound)
    given(created()).when(c.ChangePrice("obs-m", MEDIUM.price)).then_refused(VariantNotFound)


def test_a_new_price_says_the_previous_one() -> None:
    price = Money("49.00", "USD")
    expected = e.PriceChanged("OBS-M", price, MEDIUM.price)
    given(created()).when(c.ChangePrice("OBS-M", price)).then(expected)


def test_the_same_amount_in_another_currency_is_a_new_price() -> None:
    price = Money("50.00", "CAD")
    given(created()).when(c.ChangePrice("OBS-M", price)).then(e.PriceChanged("OBS-M", price, MEDIUM.price))


def test_the_present_price_changes_nothing() -> None:
    given(created()).when(c.ChangePrice("OBS-M", Money("50.00", "USD"))).then_nothing()


@pytest.mark.parametrize("status", ["draft", "active", "archived"])
def test_a_product_of_any_status_takes_a_new_price(status: str) -> None:
    moves: dict[str, tuple[ProductEvent, ...]] = {
        "draft": (),
        "active": (e.ProductPublished(),),
        "archived": (e.ProductPublished(), e.ProductArchived()),
    }
    price = Money("1.00", "USD")
    after = (
        given(created(), *moves[status])
        .when(c.ChangePrice("OBS-M", price))
        .then(e.PriceChanged("OBS-M", price, MEDIUM.price))
    )
    assert after is not None
    assert after.status == status


def test_a_replacement_is_the_events_of_its_differences_and_keeps_the_status() -> None:
    cheaper = msgspec.structs.replace(MEDIUM, price=Money("40.00", "USD"))
    small = msgspec.structs.replace(MEDIUM, sku="OBS-S", options={"size": "S"})
    wanted = created(small, cheaper, name="Sea Shirt", brand=None)
    after = (
        given(created(MEDIUM, LARGE), e.ProductPublished())
        .when(whole(wanted))
        .then(
            e.ProductDetailsChanged(name="Sea Shirt", brand=None),
            e.VariantRemoved("OBS-L"),
            added(small),
            e.PriceChanged("OBS-M", Money("40.00", "USD"), MEDIUM.price),
            e.ProductDetailsChanged(variant_order=("OBS-S", "OBS-M")),
        )
    )
    assert after is not None
    assert (after.status, list(after.variants)) == ("active", ["OBS-S", "OBS-M"])


def test_a_replacement_by_the_same_changes_nothing() -> None:
    given(created(MEDIUM, LARGE)).when(whole(created(MEDIUM, LARGE))).then_nothing()


def test_a_replacement_by_other_variants_alone_never_counts_as_the_last_variant() -> None:
    given(created(MEDIUM)).when(whole(created(LARGE))).then(e.VariantRemoved("OBS-M"), added(LARGE))


def test_a_replacement_takes_its_attributes_whole_instead_of_merging() -> None:
    wanted = created(attributes={"fit": None})
    given(created()).when(whole(wanted)).then(e.ProductDetailsChanged(attributes={"fit": None}))


def test_all_variants_of_a_full_product_can_be_replaced_at_once() -> None:
    others = created(*(msgspec.structs.replace(MEDIUM, sku=f"NEW-{n}") for n in range(VARIANTS_MAX)))
    removed = [e.VariantRemoved(f"OBS-{n}") for n in range(VARIANTS_MAX)]
    after = given(FULL).when(whole(others)).then(*removed, *map(added, others.variants))
    assert after is not None
    assert len(after.variants) == VARIANTS_MAX
