"""A product as it was, who may see it, and what differs between two versions."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import jsonpatch
import msgspec
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from query_api.consistency.visibility import Consistency
from query_api.errors import (
    BadParameter,
    HistoryTooLong,
    HistoryUnreadable,
    ProductNotFound,
    ReadModelBehind,
)
from query_api.history.past_versions import Moment, PastVersions
from query_api.history.ports import Snapshot
from query_api.history.reader import Reader
from shared.contract import events as e
from shared.contract.consistency_token import ConsistencyToken
from shared.contract.views import ProductDocument, decode_document
from tests.past_events import BEGAN, created, past_events, priced, variant
from tests.unit.projector.histories import random_history
from tests.unit.query_api.history_reads import ALL, AUDITOR, EDITOR, READER, Past

LIFE = (
    created(), e.ProductPublished(), priced("8.00"), e.ProductArchived(), e.ProductRestored(),
    e.ProductDetailsChanged(name="Linen Shirt"), e.ProductDeleted(),
)  # fmt: skip
ALIVE = LIFE[:-1]


async def seen(past: Past, product_id: Any, moment: Moment, reader: Reader = ALL) -> ProductDocument | None:
    try:
        found = await past.versions.at(product_id, moment, reader, None)
    except ProductNotFound:
        return None
    document = decode_document(found.body)
    assert document.version == found.stream_version
    return document


async def test_each_version_is_there_as_it_was_and_no_other() -> None:
    past = Past()
    product_id = await past.happened(*LIFE)
    found = [await seen(past, product_id, version) for version in range(1, 9)]
    assert [one and (one.version, one.status, one.variants[0].price.amount, one.name) for one in found] == [
        (1, "draft", "10.00", "Shirt"),
        (2, "active", "10.00", "Shirt"),
        (3, "active", "8.00", "Shirt"),
        (4, "archived", "8.00", "Shirt"),
        (5, "active", "8.00", "Shirt"),
        (6, "active", "8.00", "Linen Shirt"),
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("days", "version"), [(-0.1, None), (0, 1), (0.9, 1), (1, 2), (5.5, 6), (6, None), (99, None)]
)
async def test_at_a_time_it_is_the_version_of_that_time(days: float, version: int | None) -> None:
    past = Past()
    product_id = await past.happened(*LIFE)
    document = await seen(past, product_id, BEGAN + timedelta(days))
    assert (document and document.version) == version


@pytest.mark.parametrize(
    ("reader", "alive", "deleted"),
    [
        (ALL, [1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6]),
        (EDITOR, [1, 2, 3, 4, 5, 6], []),
        (AUDITOR, [2, 3, 5, 6], [2, 3, 5, 6]),
        (READER, [2, 3, 5, 6], []),
    ],
)
async def test_a_reader_sees_the_versions_for_which_it_has_the_right(
    reader: Reader, alive: list[int], deleted: list[int]
) -> None:
    past = Past()
    for history, versions in ((ALIVE, alive), (LIFE, deleted)):
        product_id = await past.happened(*history)
        found = [version for version in range(1, 8) if await seen(past, product_id, version, reader)]
        assert found == versions


@pytest.mark.parametrize("hidden", [LIFE[:1], LIFE[:4]], ids=["draft", "archived"])
async def test_of_a_product_that_is_hidden_today_the_past_is_hidden_too(
    hidden: Sequence[e.ProductEvent],
) -> None:
    past = Past()
    product_id = await past.happened(*hidden)
    for reader in (READER, AUDITOR):
        assert [await seen(past, product_id, version, reader) for version in range(1, 5)] == [None] * 4
        with pytest.raises(ProductNotFound):
            await past.pages.page(product_id, None, 50, reader, None)


async def test_an_event_of_an_unknown_type_is_a_version_without_other_changes() -> None:
    past = Past()
    events = past_events(created(), priced("9.00"))
    events[1] = msgspec.structs.replace(events[1], event_type="product-recalled")
    product_id = await past.log.append(events)
    document = await seen(past, product_id, 2)
    assert document is not None
    assert (document.version, document.variants[0].price.amount) == (2, "10.00")


@pytest.mark.parametrize("wrong", [{"schema_version": 99}, {"data": b"{"}, {"data": b'{"sku":"other"}'}])
async def test_an_event_that_cannot_be_read_is_no_500(wrong: dict[str, Any]) -> None:
    past = Past()
    events = past_events(created(variant("A"), variant("B")), e.VariantRemoved("A"))
    events[1] = msgspec.structs.replace(events[1], **wrong)
    product_id = await past.log.append(events)
    with pytest.raises(HistoryUnreadable):
        await past.versions.at(product_id, 2, ALL, None)
    assert await seen(past, product_id, 1) is not None


async def test_more_events_than_a_request_may_fold_are_refused_and_not_read() -> None:
    past = Past(events_max=5)
    product_id = await past.happened(*ALIVE)
    assert await seen(past, product_id, 5) is not None
    read = past.log.pages
    with pytest.raises(HistoryTooLong):
        await past.versions.at(product_id, 6, ALL, None)
    assert past.log.pages == read


LONG = (created(), *[priced(f"{number}.00") for number in range(2, 1602)])


async def with_snapshots(past: Past, *versions: int) -> Any:
    """A long product with snapshots at these versions."""
    events = past_events(*LONG)
    product_id = await past.log.append(events)
    for version in versions:
        document = await seen(unbounded(past), product_id, version)
        assert document is not None
        await past.snapshots.keep(product_id, Snapshot(version, events[version - 1].log_position, document))
    return product_id


def unbounded(past: Past) -> Past:
    """Over the same log, without snapshots and without a bound."""
    return Past(events_max=100_000, log=past.log)


async def test_a_long_stream_is_folded_from_its_snapshots_to_the_same_documents() -> None:
    past = Past(events_max=504)
    product_id = await with_snapshots(past, 500, 1003, 1500)
    for version in (1, 499, 500, 501, 999, 1000, 1003, 1004, 1499, 1500, 1501, 1601):
        document = await seen(past, product_id, version)
        assert document == await seen(unbounded(past), product_id, version)
        assert document is not None
        assert document.version == version


@pytest.mark.parametrize("is_its_position", [True, False])
async def test_a_snapshot_of_events_that_a_restore_lost_is_not_used(is_its_position: bool) -> None:
    past = Past(events_max=501)
    product_id = await with_snapshots(past, 500, 900)
    true = await past.snapshots.newest(product_id, 1000)
    assert true is not None
    lost = msgspec.structs.replace(true.document, name="lost", version=901)
    if is_its_position:
        lost = msgspec.structs.replace(lost, updated_at=BEGAN)
    await past.snapshots.keep(product_id, Snapshot(901, true.log_position + is_its_position, lost))
    document = await seen(past, product_id, 1000)
    assert document is not None
    assert document.name == "Shirt"


async def test_without_its_snapshots_a_long_stream_is_refused_with_the_command_that_makes_them() -> None:
    past = Past(events_max=1000)
    product_id = await past.happened(*LONG)
    with pytest.raises(HistoryTooLong, match="python -m projector snapshots"):
        await past.versions.at(product_id, 1601, ALL, None)


async def test_a_stream_is_read_page_by_page() -> None:
    past = Past(page_events_max=2)
    product_id = await past.happened(*ALIVE)
    document = await seen(past, product_id, 5)
    assert document is not None
    assert (document.version, past.log.pages) == (5, 3)


async def test_an_archived_stream_is_not_there() -> None:
    past = Past()
    noted, unnoted = await past.happened(*LIFE), await past.happened(*LIFE)
    past.log.archived.add(noted)
    past.log.forget(unnoted, 2)
    assert [await seen(past, one, 6) for one in (noted, unnoted)] == [None, None]


def token(position: int, product_id: Any = None, stream_version: int | None = None) -> Consistency:
    return Consistency(ConsistencyToken({0: position}, product_id, stream_version), wait_seconds=0)


async def test_a_token_is_compared_with_the_log() -> None:
    past = Past()
    events = past_events(*ALIVE)
    product_id = await past.log.append(events)
    newest = events[-1].log_position
    for met in (token(newest), token(10**9, product_id, 6)):
        assert (await past.versions.at(product_id, 6, ALL, met)).stream_version == 6
    for behind in (token(newest + 1), token(1, product_id, 7)):
        with pytest.raises(ReadModelBehind):
            await past.versions.at(product_id, 6, ALL, behind)


async def difference(versions: PastVersions, product_id: Any, *moments: Any) -> dict[str, Any]:
    found = await versions.difference(product_id, moments, ALL, None)  # type: ignore[arg-type]
    return msgspec.json.decode(msgspec.json.encode(found._asdict()))  # type: ignore[no-any-return]


async def test_a_difference_tells_each_field_before_and_after() -> None:
    past = Past()
    product_id = await past.happened(
        created(
            variant("A"), variant("B", "5.00"), attributes={"colour": "blue", "fit": "slim"}, tags=("men",)
        ),
        e.ProductDetailsChanged(
            name="Linen", tags=("women",), attributes={"colour": "red"}, variant_order=("B", "A")
        ),
        e.VariantAdded("C", {}, e.Money("1.00", "EUR")),
        priced("4.00", "B"),
        e.VariantRemoved("A"),
    )
    found = await difference(past.versions, product_id, 1, 4)
    assert [(one["field"], one.get("sku"), one["before"], one["after"]) for one in found["changes"]][:5] == [
        ("name", None, "Shirt", "Linen"),
        ("tags", None, ["men"], ["women"]),
        ("attributes.colour", None, "blue", "red"),
        ("attributes.fit", None, "slim", None),
        ("price", "B", {"amount": "5.00", "currency": "EUR"}, {"amount": "4.00", "currency": "EUR"}),
    ]
    added, order = found["changes"][-2:]
    assert (added["field"], added["sku"], added["before"]) == ("variant", "C", None)
    assert (order["field"], order["before"], order["after"]) == ("variant_order", ["A", "B"], ["B", "A", "C"])
    removed = await difference(past.versions, product_id, 4, None)
    assert [(one["field"], one["sku"], one["after"]) for one in removed["changes"]] == [
        ("variant", "A", None)
    ]


async def test_a_difference_has_its_ends_in_order_and_both_must_be_there() -> None:
    past = Past()
    product_id = await past.happened(*LIFE)
    same = await difference(past.versions, product_id, 3, BEGAN + timedelta(2.5))
    assert (same["changes"], same["patch"]) == ([], [])
    with pytest.raises(BadParameter, match="from"):
        await difference(past.versions, product_id, 3, 2)
    for moments in ((1, 7), (BEGAN - timedelta(1), 2), (1, 8)):
        with pytest.raises(ProductNotFound):
            await difference(past.versions, product_id, *moments)


_leaves = st.none() | st.booleans() | st.sampled_from([0, 1, 1.0, 1.5, "", "a", "~1", "/"])
_json = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["", "a", "/", "-"]), inner),
    max_leaves=8,
)
_attributes = st.dictionaries(st.sampled_from(["a", "b/c"]), _json)


@given(_attributes, _attributes)
@example({"a": 1}, {"a": True})
@example({"a": [1.0]}, {"a": [1]})
@example({"a": None}, {})
async def test_any_change_of_attributes_is_in_the_patch_and_told(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    past = Past()
    changed = e.ProductDetailsChanged(attributes=after)
    product_id = await past.happened(created(attributes=before), changed)
    found = await past.versions.difference(product_id, (1, 2), ALL, None)
    old, new = [
        msgspec.json.decode((await past.versions.at(product_id, version, ALL, None)).body)
        for version in (1, 2)
    ]
    patched = jsonpatch.apply_patch(old, found.patch)
    assert msgspec.json.encode(patched, order="sorted") == msgspec.json.encode(new, order="sorted")
    names = {name for name in before.keys() | after.keys() if _text(before, name) != _text(after, name)}
    assert {one.field for one in found.changes} == {f"attributes.{name}" for name in names}


def _text(attributes: dict[str, Any], name: str) -> bytes | None:
    return msgspec.json.encode(attributes[name], order="sorted") if name in attributes else None


@given(st.data(), random_history(), st.booleans())
async def test_the_patch_makes_of_one_document_the_other(
    data: st.DataObject, history: Sequence[e.ProductEvent], has_slashes: bool
) -> None:
    past = Past()
    first = created(variant("S-0"), attributes={"a/b": "~1", "~": "/", "": {"x": [1, 2]}})
    product_id = await past.happened(first if has_slashes else history[0], *history[1:])
    last = len(history) - isinstance(history[-1], e.ProductDeleted)
    assume(last >= 1)
    start = data.draw(st.integers(1, last))
    end = data.draw(st.integers(start, last))
    found = await past.versions.difference(product_id, (start, end), ALL, None)
    before, after = [
        msgspec.json.decode((await past.versions.at(product_id, version, ALL, None)).body)
        for version in (start, end)
    ]
    assert jsonpatch.apply_patch(before, found.patch) == after
    assert bool(found.patch) == (start != end)
