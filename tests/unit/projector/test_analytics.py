"""Which facts a product's events are; every event is folded twice."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from projector.errors import HistoryDoesNotFold
from projector.views.analytics.fold import FOLD, AnalysedProduct, Fact
from projector.views.analytics.price_moves import PriceMove, exact_log_ratio, price_move
from shared.contract import events as e
from tests.unit.projector.folding import folded, seen
from tests.unit.projector.histories import START, created, history, new_product_id, priced, random_history

DAY = START.date()


def facts(*happened: e.ProductEvent) -> Sequence[Fact]:
    """Of these events; the n-th is version n."""
    found: Sequence[Fact] = seen(FOLD, *happened).facts
    return found


def euros(amount: str) -> e.Money:
    return e.Money(amount, "EUR")


def test_every_event_is_one_fact_of_its_kind() -> None:
    happened = (
        created(),
        e.ProductPublished(),
        e.ProductArchived(),
        e.ProductRestored(),
        e.ProductDetailsChanged(name="Blue"),
        e.VariantAdded("S-2", {}, euros("2.00")),
        e.VariantChanged("S-2", {"size": "M"}, euros("2.00")),
        e.PriceChanged("S-2", euros("3.00"), euros("2.00")),
        e.VariantRemoved("S-2"),
        e.ProductDeleted(),
    )
    found = facts(*happened)
    assert [fact.kind for fact in found] == [
        "products_created", "products_published", "products_archived", "products_restored",
        "details_changed", "variants_added", "variants_changed", "prices_changed", "variants_removed",
        "products_deleted",
    ]  # fmt: skip
    assert [fact.stream_version for fact in found] == list(range(1, 11))
    assert {(fact.day, fact.category) for fact in found} == {(DAY, "apparel/shirts")}


def test_a_change_of_category_counts_in_the_category_that_it_leads_to() -> None:
    moved = e.ProductDetailsChanged(category="home", brand="Ocean")
    assert [(fact.category, fact.brand) for fact in facts(created(), moved, e.ProductDeleted())] == [
        ("apparel/shirts", None), ("home", "Ocean"), ("home", "Ocean"),
    ]  # fmt: skip


def test_the_day_is_that_of_the_record_in_utc() -> None:
    (event,) = history(new_product_id(), created())
    late = datetime(2026, 1, 1, 23, 30, tzinfo=timezone(timedelta(hours=-1)))
    assert folded(FOLD, [replace(event, recorded_at=late)]).facts[0].day == date(2026, 1, 2)


def test_a_price_change_says_where_it_went_and_how_far() -> None:
    up, down = (
        facts(created(), e.PriceChanged("S-1", euros(new), euros(old)))[1].price
        for old, new in (("10.00", "20.00"), ("20.00", "10.00"))
    )
    assert up == PriceMove("EUR", 1, Decimal("0.693147180560"))
    assert down == PriceMove("EUR", -1, Decimal("-0.693147180560"))


def test_a_variant_that_is_changed_with_its_price_is_a_price_change_too() -> None:
    changed = facts(created(), e.VariantChanged("S-1", {"size": "M"}, euros("5.00")))[1]
    assert (changed.kind, changed.price) == ("variants_changed", price_move(euros("10.00"), euros("5.00")))
    only = facts(created(), priced("5.00"), e.VariantChanged("S-1", {"size": "M"}, euros("5.00")))[2]
    assert (only.kind, only.price) == ("variants_changed", None)


@pytest.mark.parametrize(
    ("before", "after", "move"),
    [
        (euros("0.00"), euros("1.00"), PriceMove("EUR", 1, None)),
        (euros("1.00"), euros("0.00"), PriceMove("EUR", -1, None)),
        (euros("1.00"), e.Money("1.00", "USD"), PriceMove("USD", 0, None)),
        (euros("9.00"), euros("10.00"), PriceMove("EUR", 1, Decimal("0.105360515658"))),
        (euros("1.00"), euros("1.00"), PriceMove("EUR", 0, Decimal("0E-12"))),
    ],
    ids=["from-nothing", "to-nothing", "another-currency", "as-numbers-not-as-texts", "nowhere"],
)
def test_a_move_that_has_no_ratio_still_may_have_a_direction(
    before: e.Money, after: e.Money, move: PriceMove
) -> None:
    assert price_move(before, after) == move


_amounts = st.decimals("0.01", "999999999999.99", places=2).map(str)


_cents = st.decimals("0.01", "1E15", places=2)
_powers = st.integers(-400, 400).map(lambda power: Decimal(3).scaleb(power))


@given(st.tuples(_cents, _cents) | st.tuples(_powers, _powers))
def test_a_ratio_is_rounded_as_the_exact_one_is(amounts: tuple[Decimal, Decimal]) -> None:
    before, after = amounts
    move = price_move(euros(str(before)), euros(str(after)))
    assert str(move.log_ratio) == str(exact_log_ratio(before, after))


@given(st.lists(_amounts, min_size=2, max_size=8))
def test_ratios_of_a_way_there_and_back_add_up_to_nothing(way: list[str]) -> None:
    there_and_back = [*way, way[0]]
    moves = [price_move(euros(old), euros(new)) for old, new in pairwise(there_and_back)]
    total = sum((move.log_ratio for move in moves if move.log_ratio is not None), start=Decimal(0))
    assert abs(total) < Decimal("1E-10")


@pytest.mark.parametrize("amount", ["ten", "NaN", "Infinity", "-1.00", ""])
def test_what_is_no_amount_of_money_does_not_fold(amount: str) -> None:
    with pytest.raises(HistoryDoesNotFold, match="amount"):
        seen(FOLD, created(), e.PriceChanged("S-1", euros(amount), euros("1.00")))


@pytest.mark.parametrize(
    "happened",
    [
        [priced("1.00")],
        [created(), created()],
        [created(), e.ProductDeleted(), e.ProductPublished()],
        [created(), e.ProductDeleted(), created()],
        [created(), priced("1.00", sku="S-unknown")],
        [created(), e.VariantRemoved("S-unknown")],
        [created(), e.VariantChanged("S-unknown", {}, euros("1.00"))],
    ],
    ids=["not-created", "created-twice", "after-deletion", "created-again", "price", "removed", "changed"],
)
def test_a_history_that_the_writer_cannot_have_appended_is_refused(happened: list[e.ProductEvent]) -> None:
    with pytest.raises(HistoryDoesNotFold):
        seen(FOLD, *happened)


@given(random_history())
def test_facts_are_the_same_however_the_history_is_cut_into_batches(
    happened: Sequence[e.ProductEvent],
) -> None:
    events = history(new_product_id(), *happened)
    whole = folded(FOLD, events)
    product: AnalysedProduct | None = None
    found: list[Fact] = []
    for one in events:
        after: AnalysedProduct = folded(FOLD, [one], product)
        found += after.facts
        # As it is stored and loaded: without facts, its prices through JSON.
        prices = msgspec.json.decode(msgspec.json.encode(after.prices), type=dict[str, e.Money])
        product = replace(after, facts=(), prices=prices)
    assert tuple(found) == whole.facts
    assert product == replace(whole, facts=())
    assert len(found) == len(happened)
