"""Which stock items a product opens and closes; every event is folded twice."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from msgspec.structs import replace

from projector.errors import HistoryDoesNotFold
from projector.views.inventory.fold import FOLD, Movement, StockedProduct
from shared.contract import events as e
from shared.contract.recorded_event import RecordedEvent
from tests.unit.projector.folding import folded, seen
from tests.unit.projector.histories import START, created, history, new_product_id, priced, random_history

ADDED = e.VariantAdded("S-2", {}, e.Money("2.00", "EUR"))


def at(stream_version: int) -> object:
    """When the event of this version was recorded; its position is the same number."""
    return START.replace(second=stream_version)


def test_each_sku_of_a_new_product_opens_an_item() -> None:
    stocked = seen(FOLD, created())
    assert stocked.opened_at == {"S-1": at(1)}
    assert stocked.moved == {"S-1": Movement(1, at(1), None)}


def test_an_added_variant_opens_its_item_and_a_removed_one_closes_it() -> None:
    assert seen(FOLD, created(), ADDED).opened_at == {"S-1": at(1), "S-2": at(2)}
    stocked = seen(FOLD, created(), ADDED, e.VariantRemoved("S-2"))
    assert stocked.opened_at == {"S-1": at(1)}
    assert stocked.moved["S-2"] == Movement(3, at(2), at(3))


def test_a_sku_that_comes_back_is_opened_anew() -> None:
    stocked = seen(FOLD, created(), ADDED, e.VariantRemoved("S-2"), ADDED)
    assert stocked.moved["S-2"] == Movement(4, at(4), None)


def test_a_deletion_closes_all_that_was_open() -> None:
    stocked = seen(FOLD, created(), ADDED, e.ProductDeleted())
    assert (stocked.is_deleted, stocked.opened_at) == (True, {})
    assert stocked.moved == {"S-1": Movement(3, at(1), at(3)), "S-2": Movement(3, at(2), at(3))}


def test_prices_details_and_changed_variants_are_of_no_use_here() -> None:
    changed = e.VariantChanged("S-1", {"size": "XL"}, e.Money("3.00", "EUR"))
    happened = (priced("2.00"), changed, e.ProductDetailsChanged(name="Blue"), e.ProductPublished())
    assert seen(FOLD, created(), *happened) == seen(FOLD, created())


@pytest.mark.parametrize(
    "happened",
    [
        [ADDED],
        [created(), created()],
        [created(), e.ProductDeleted(), ADDED],
        [created(), e.ProductDeleted(), created()],
        [created(), e.VariantRemoved("S-unknown")],
        [created(), ADDED, ADDED],
    ],
    ids=["not-created", "created-twice", "after-deletion", "created-again", "unknown-sku", "added-twice"],
)
def test_a_history_that_the_writer_cannot_have_appended_is_refused(happened: list[e.ProductEvent]) -> None:
    with pytest.raises(HistoryDoesNotFold):
        seen(FOLD, *happened)


@given(random_history())
def test_the_last_movement_of_each_sku_is_the_same_however_the_history_is_cut_into_batches(
    happened: Sequence[e.ProductEvent],
) -> None:
    events = history(new_product_id(), *happened)
    whole = folded(FOLD, events)
    assert _in_batches_of_one(events) == (replace(whole, moved={}), whole.moved)
    open_items = {sku: move.opened_at for sku, move in whole.moved.items() if move.closed_at is None}
    assert open_items == whole.opened_at


def _in_batches_of_one(
    events: Sequence[RecordedEvent],
) -> tuple[StockedProduct | None, dict[str, Movement]]:
    """(state without movements, the latest movement of each SKU), as the tables would have them."""
    stocked: StockedProduct | None = None
    moved: dict[str, Movement] = {}
    for one in events:
        after: StockedProduct = folded(FOLD, [one], stocked)
        moved |= after.moved
        stocked = replace(after, moved={})
    return stocked, moved
