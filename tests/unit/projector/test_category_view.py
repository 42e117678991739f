"""Where a product counts after each event; every event is folded twice."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projector.errors import HistoryDoesNotFold
from projector.views.category_view.fold import FOLD, CountedProduct, ancestors
from projector.views.product_document import FOLD as DOCUMENTS
from shared.contract import events as e
from tests.unit.projector.folding import folded, seen
from tests.unit.projector.histories import created, history, new_product_id, priced, random_history


def test_a_product_counts_as_a_draft_where_it_was_created() -> None:
    assert seen(FOLD, created(category="apparel/shirts")) == CountedProduct("apparel/shirts", None, "draft")


def test_a_change_of_category_or_brand_moves_it_and_other_details_do_not() -> None:
    moved = e.ProductDetailsChanged(category="home", brand="Ocean")
    assert seen(FOLD, created(), moved) == CountedProduct("home", "Ocean", "draft")
    assert seen(FOLD, created(), moved, e.ProductDetailsChanged(name="Blue")) == seen(FOLD, created(), moved)


def test_a_cleared_category_is_none_at_all() -> None:
    assert seen(FOLD, created(), e.ProductDetailsChanged(category=None)) == CountedProduct(
        None, None, "draft"
    )


@pytest.mark.parametrize(
    ("happened", "status"),
    [
        ([e.ProductPublished()], "active"),
        ([e.ProductPublished(), e.ProductArchived()], "archived"),
        ([e.ProductPublished(), e.ProductArchived(), e.ProductRestored()], "active"),
    ],
)
def test_it_counts_under_its_present_status(happened: list[e.ProductEvent], status: str) -> None:
    assert seen(FOLD, created(), *happened).status == status


def test_a_deleted_product_counts_nowhere() -> None:
    assert seen(FOLD, created(), e.ProductPublished(), e.ProductDeleted()) is None


def test_prices_and_variants_are_of_no_use_here() -> None:
    variant = e.VariantAdded("S-2", {}, e.Money("2.00", "EUR"))
    assert seen(FOLD, created(), variant, priced("2.00")) == seen(FOLD, created())
    assert FOLD.event_types.isdisjoint({"product-price-changed", "product-variant-added"})


@pytest.mark.parametrize(
    "happened",
    [[e.ProductPublished()], [created(), created()], [created(), e.ProductDeleted(), e.ProductArchived()]],
    ids=["not-created", "created-twice", "after-deletion"],
)
def test_a_history_that_the_writer_cannot_have_appended_is_refused(happened: list[e.ProductEvent]) -> None:
    with pytest.raises(HistoryDoesNotFold):
        seen(FOLD, *happened)


@given(random_history())
def test_after_any_history_it_counts_where_its_document_says_it_is(
    happened: Sequence[e.ProductEvent],
) -> None:
    events = history(new_product_id(), *happened)
    counted, document = folded(FOLD, events), folded(DOCUMENTS, events)
    if document is None:
        assert counted is None
    else:
        assert counted == CountedProduct(document.category, document.brand, document.status)


@given(st.lists(st.text(max_size=5), min_size=1, max_size=6))
def test_the_ancestors_of_a_path_are_its_beginnings_up_to_itself(parts: list[str]) -> None:
    path = "/".join(parts)
    paths = ancestors(path)
    assert paths[-1] == path
    assert [one.count("/") for one in paths] == list(range(path.count("/") + 1))
    assert all(path == one or path.startswith(f"{one}/") for one in paths)
