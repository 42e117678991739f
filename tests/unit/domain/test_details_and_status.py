"""Creation, details, status and deletion: each command, each refusal, each transition."""

from typing import Any

import pytest

from command_api.domain import commands as c
from command_api.domain.commands import Command
from command_api.domain.errors import ProductNotFound, TransitionNotAllowed
from command_api.domain.product import evolve, reservations
from shared.contract import events as e
from shared.contract.events import Money, ProductEvent
from tests.unit.domain.samples import LARGE, MEDIUM, created, whole
from tests.unit.domain.specification import given

DRAFT: tuple[ProductEvent, ...] = (created(),)
ACTIVE = (*DRAFT, e.ProductPublished())
ARCHIVED = (*ACTIVE, e.ProductArchived())
DELETED = (*DRAFT, e.ProductDeleted())
EVERY_COMMAND_BUT_CREATE: tuple[Command, ...] = (
    whole(created()),
    c.ChangeDetails({"name": "x"}),
    c.PutVariant(LARGE),
    c.RemoveVariant("OBS-M"),
    c.ChangePrice("OBS-M", Money("1.00", "USD")),
    c.PublishProduct(),
    c.ArchiveProduct(),
    c.RestoreProduct(),
    c.DeleteProduct(),
)


def test_a_creation_is_one_event_with_the_whole_product() -> None:
    after = given().when(c.CreateProduct(created(MEDIUM, LARGE))).then(created(MEDIUM, LARGE))
    assert after is not None
    assert after.status == "draft"
    assert list(after.variants) == ["OBS-M", "OBS-L"]
    assert after.attributes == {"colour": "blue", "care": {"wash": 30, "iron": True}}


@pytest.mark.parametrize("command", EVERY_COMMAND_BUT_CREATE, ids=lambda command: type(command).__name__)
@pytest.mark.parametrize("history", [(), DELETED], ids=["absent", "deleted"])
def test_a_product_that_is_not_there_refuses_every_command(
    command: Command, history: tuple[ProductEvent, ...]
) -> None:
    given(*history).when(command).then_refused(ProductNotFound)


def test_changed_details_are_one_event_with_only_what_changed() -> None:
    patch = {"name": "Sea Shirt", "brand": "Ocean", "category": "apparel/shirts"}
    expected = e.ProductDetailsChanged(name="Sea Shirt", category="apparel/shirts")
    after = given(*DRAFT).when(c.ChangeDetails(patch)).then(expected)
    assert after is not None
    assert (after.name, after.brand, after.category) == ("Sea Shirt", "Ocean", "apparel/shirts")


def test_details_as_they_are_change_nothing() -> None:
    given(*DRAFT).when(c.ChangeDetails({"name": "Ocean Blue Shirt", "tags": ("men",)})).then_nothing()


def test_an_empty_patch_changes_nothing() -> None:
    given(*DRAFT).when(c.ChangeDetails({})).then_nothing()


@pytest.mark.parametrize("field", ["description", "brand", "product_type", "category"])
def test_a_cleared_text_is_an_event_that_says_null(field: str) -> None:
    history = created(**{field: "something"})
    cleared: dict[str, Any] = {field: None}
    after = given(history).when(c.ChangeDetails(cleared)).then(e.ProductDetailsChanged(**cleared))
    assert getattr(after, field) is None


@pytest.mark.parametrize(("field", "empty"), [("tags", ()), ("attributes", {}), ("images", ())])
def test_a_cleared_collection_becomes_empty(field: str, empty: object) -> None:
    cleared: dict[str, Any] = {field: None}
    after = given(*DRAFT).when(c.ChangeDetails(cleared)).then(e.ProductDetailsChanged(**cleared))
    assert getattr(after, field) == empty


@pytest.mark.parametrize("field", ["tags", "attributes", "images"])
def test_clearing_an_empty_collection_changes_nothing(field: str) -> None:
    bare = created(tags=(), attributes={}, images=())
    given(bare).when(c.ChangeDetails({field: None})).then_nothing()


def test_lists_are_replaced_whole() -> None:
    images = (e.Image("https://example.test/2.png"),)
    patch = {"tags": ("women", "sale"), "images": images}
    given(*DRAFT).when(c.ChangeDetails(patch)).then(
        e.ProductDetailsChanged(tags=("women", "sale"), images=images)
    )


def test_attributes_are_merged_and_the_event_holds_their_new_whole() -> None:
    patch = {"attributes": {"colour": None, "care": {"wash": 40}, "fit": "slim"}}
    expected = {"care": {"wash": 40, "iron": True}, "fit": "slim"}
    given(*DRAFT).when(c.ChangeDetails(patch)).then(e.ProductDetailsChanged(attributes=expected))


def test_a_null_inside_a_new_attribute_is_dropped_as_rfc_7396_says() -> None:
    patch = {"attributes": {"care": "none", "size": {"chest": 50, "waist": None}}}
    expected = {"colour": "blue", "care": "none", "size": {"chest": 50}}
    given(*DRAFT).when(c.ChangeDetails(patch)).then(e.ProductDetailsChanged(attributes=expected))


def test_removing_an_attribute_that_is_not_there_changes_nothing() -> None:
    given(*DRAFT).when(c.ChangeDetails({"attributes": {"fit": None}})).then_nothing()


@pytest.mark.parametrize(("before", "after"), [(1, True), (True, 1), (0, False), (1, 1.0), ([1], [True])])
def test_an_attribute_of_another_type_is_another_value_even_where_python_calls_them_equal(
    before: object, after: object
) -> None:
    history = created(attributes={"waterproof": before})
    decided = given(history).when(c.ChangeDetails({"attributes": {"waterproof": after}}))
    state = decided.then(e.ProductDetailsChanged(attributes={"waterproof": after}))
    assert state is not None
    assert type(state.attributes["waterproof"]) is type(after)


def test_a_new_slug_claims_one_and_frees_the_other() -> None:
    before = evolve(None, created())
    after = given(*DRAFT).when(c.ChangeDetails({"slug": "sea"})).then(e.ProductDetailsChanged(slug="sea"))
    assert reservations(after) - reservations(before) == {("s", "sea")}
    assert reservations(before) - reservations(after) == {("s", "ocean-blue-shirt")}


TRANSITIONS: dict[str, tuple[Command, str, str, ProductEvent]] = {
    "publish": (c.PublishProduct(), "draft", "active", e.ProductPublished()),
    "archive": (c.ArchiveProduct(), "active", "archived", e.ProductArchived()),
    "restore": (c.RestoreProduct(), "archived", "active", e.ProductRestored()),
}
HISTORIES = {"draft": DRAFT, "active": ACTIVE, "archived": ARCHIVED}


@pytest.mark.parametrize("status", HISTORIES)
@pytest.mark.parametrize("verb", TRANSITIONS)
def test_a_status_moves_along_its_arrow_stays_where_it_is_wanted_and_goes_nowhere_else(
    verb: str, status: str
) -> None:
    command, start, end, event = TRANSITIONS[verb]
    specification = given(*HISTORIES[status]).when(command)
    if status == end:
        specification.then_nothing()
    elif status == start:
        after = specification.then(event)
        assert after is not None
        assert after.status == end
    else:
        refusal = specification.then_refused(TransitionNotAllowed)
        assert status in str(refusal)


@pytest.mark.parametrize("status", HISTORIES)
def test_a_product_of_any_status_can_be_deleted_and_then_holds_nothing(status: str) -> None:
    after = given(*HISTORIES[status]).when(c.DeleteProduct()).then(e.ProductDeleted())
    assert after is not None
    assert after.status == "deleted"
    assert reservations(after) == frozenset()


def test_a_live_product_holds_its_slug_and_its_skus() -> None:
    state = evolve(None, created(MEDIUM, LARGE))
    assert reservations(state) == {("s", "ocean-blue-shirt"), ("k", "OBS-M"), ("k", "OBS-L")}
    assert reservations(None) == frozenset()


def test_an_event_before_the_creation_is_no_history() -> None:
    with pytest.raises(ValueError, match="ProductPublished before ProductCreated"):
        evolve(None, e.ProductPublished())
