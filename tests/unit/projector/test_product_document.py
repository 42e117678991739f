"""What a reader sees after each event; every event is folded twice, every document rebuilt."""

from collections.abc import Sequence

import pytest
from hypothesis import given

from projector.errors import HistoryDoesNotFold
from projector.views.product_document import FOLD
from shared.contract import events as e
from shared.contract.codec import decode_event
from shared.contract.product_fold import apply_event, skip_event
from shared.contract.views import ProductDocument, decode_document, encode_document
from tests.unit.projector.folding import folded
from tests.unit.projector.histories import created, history, new_product_id, priced, random_history, variant


def seen(*happened: e.ProductEvent) -> ProductDocument | None:
    """The document after these events, the n-th being version n; folding again must not differ."""
    events = history(new_product_id(), *happened)
    document: ProductDocument | None = folded(FOLD, events)
    assert folded(FOLD, events) == document
    return document


def live(*happened: e.ProductEvent) -> ProductDocument:
    document = seen(created(), *happened)
    assert document is not None
    return document


def test_a_created_product_is_a_draft_with_everything_it_was_created_with() -> None:
    document = live()
    assert (document.status, document.version, document.published_at) == ("draft", 1, None)
    assert document.variants == (variant(),)
    assert document.created_at == document.updated_at


def test_each_event_moves_the_version_and_the_time_of_change_but_never_the_time_of_creation() -> None:
    document = live(priced("11.00"), priced("12.00"))
    assert document.version == 3
    assert (document.updated_at - document.created_at).total_seconds() == 2


def test_details_that_an_event_does_not_name_stay_as_they_are() -> None:
    document = live(e.ProductDetailsChanged(brand="Ocean"), e.ProductDetailsChanged(name="Blue shirt"))
    assert (document.name, document.brand, document.category) == ("Blue shirt", "Ocean", "apparel/shirts")


def test_a_null_clears_a_detail_and_empties_lists_and_mappings() -> None:
    document = live(
        e.ProductDetailsChanged(attributes={"colour": "blue"}, images=(e.Image("https://example.test/1"),)),
        e.ProductDetailsChanged(category=None, tags=None, attributes=None, images=None),
    )
    assert (document.category, document.tags, document.attributes, document.images) == (None, (), {}, ())


def test_variants_keep_their_order_when_one_of_them_changes() -> None:
    document = live(
        e.VariantAdded("S-2", {}, e.Money("2.00", "EUR")),
        e.VariantAdded("S-3", {}, e.Money("3.00", "EUR")),
        e.VariantChanged("S-2", {"size": "XL"}, e.Money("2.50", "EUR")),
        priced("9.00"),
        e.VariantRemoved("S-3"),
    )
    assert [(one.sku, one.price.amount) for one in document.variants] == [("S-1", "9.00"), ("S-2", "2.50")]
    assert type(document.variants[1]) is e.Variant


def test_a_price_change_leaves_the_rest_of_the_variant_alone() -> None:
    changed = e.VariantChanged(
        "S-1", {"size": "M"}, e.Money("1.00", "EUR"), barcode="4006381333931", weight_grams=120
    )
    (only,) = live(changed, priced("1.50")).variants
    assert (only.price.amount, only.barcode, only.weight_grams, only.options) == (
        "1.50", "4006381333931", 120, {"size": "M"},
    )  # fmt: skip


def test_the_first_publication_is_remembered_over_archive_and_restore() -> None:
    document = live(e.ProductPublished(), e.ProductArchived(), e.ProductRestored())
    assert document.status == "active"
    assert document.published_at is not None
    assert (document.published_at - document.created_at).total_seconds() == 1
    assert live(e.ProductPublished(), e.ProductArchived()).status == "archived"


def test_a_deleted_product_is_no_document_at_all() -> None:
    assert seen(created(), e.ProductDeleted()) is None


def test_an_event_that_is_passed_over_still_is_a_version() -> None:
    product_id = new_product_id()
    first, unknown = history(product_id, created(), e.ProductPublished())
    document = folded(FOLD, [first])
    assert document is not None
    after = skip_event(document, unknown)
    assert (after.version, after.updated_at, after.status) == (2, unknown.recorded_at, "draft")


@pytest.mark.parametrize(
    "happened",
    [
        [priced("1.00")],
        [created(), created()],
        [created(), e.ProductDeleted(), e.ProductPublished()],
        [created(), priced("1.00", sku="S-unknown")],
        [created(), e.VariantRemoved("S-unknown")],
        [created(), e.VariantChanged("S-unknown", {}, e.Money("1.00", "EUR"))],
    ],
    ids=["not-created", "created-twice", "after-deletion", "price", "removed", "changed"],
)
def test_a_history_that_the_writer_cannot_have_appended_is_refused(happened: list[e.ProductEvent]) -> None:
    with pytest.raises(HistoryDoesNotFold):
        seen(*happened)


@given(random_history())
def test_any_history_folds_to_a_document_that_survives_storing(happened: Sequence[e.ProductEvent]) -> None:
    document = seen(*happened)
    if document is None:
        assert isinstance(happened[-1], e.ProductDeleted)
        return
    assert document.version == len(happened)
    assert decode_document(encode_document(document)) == document
    assert len({one.sku for one in document.variants}) == len(document.variants)


@given(random_history())
def test_a_fold_continued_from_the_stored_document_equals_the_fold_from_the_start(
    happened: Sequence[e.ProductEvent],
) -> None:
    document: ProductDocument | None = None
    events = history(new_product_id(), *happened)
    for event in events:
        stored = decode_document(encode_document(document)) if document is not None else None
        document = apply_event(
            stored, decode_event(event.event_type, event.schema_version, event.data), event
        )
    assert document == folded(FOLD, events)
