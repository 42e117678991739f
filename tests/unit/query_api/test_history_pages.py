"""The history of a product: which events a reader sees, in which order, and how far a page goes."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from query_api.errors import BadParameter
from query_api.history.reader import Reader
from shared.contract import events as e
from tests.past_events import created, past_events, priced
from tests.unit.query_api.history_reads import ALL, AUDITOR, READER, Past

LIFE = (
    created(), e.ProductDetailsChanged(name="Linen"), e.ProductPublished(), priced("8.00"),
    e.ProductArchived(), priced("7.00"), e.ProductRestored(),
)  # fmt: skip


async def pages(past: Past, product_id: UUID, limit: int, reader: Reader = ALL) -> list[list[Any]]:
    found, cursor = [], None
    while True:
        page = await past.pages.page(product_id, cursor, limit, reader, None)
        found.append([msgspec.json.decode(item) for item in page.items])
        cursor = page.next_cursor
        if cursor is None:
            return found


async def test_all_events_are_there_once_newest_first_whatever_the_limit() -> None:
    past = Past()
    product_id = await past.happened(*LIFE)
    for limit in (1, 2, 3, 7, 200):
        found = await pages(past, product_id, limit)
        assert [item["version"] for page in found for item in page] == [7, 6, 5, 4, 3, 2, 1]
        assert {len(page) for page in found[:-1]} <= {limit}


async def test_an_item_says_who_changed_what_and_when() -> None:
    past = Past()
    product_id = await past.happened(*LIFE)
    page = (await pages(past, product_id, 50))[0]
    before, after = ({"amount": amount, "currency": "EUR"} for amount in ("10.00", "8.00"))
    assert page[3] == {
        "version": 4, "type": "product-price-changed", "time": "2026-01-04T00:00:00Z", "actor": "ann",
        "changes": [{"field": "price", "before": before, "after": after, "sku": "S-1"}],
    }  # fmt: skip
    first = {one["field"] for one in page[-1]["changes"]}
    assert first == {"status", "slug", "name", "variant"}


async def test_a_page_ends_before_it_has_too_many_bytes_but_has_one_item() -> None:
    past = Past(page_bytes_max=1200)
    large = [e.ProductDetailsChanged(description=letter * 200) for letter in "abc"]
    product_id = await past.happened(created(), *large, e.ProductDetailsChanged(description="d" * 900))
    found = await pages(past, product_id, 50)
    assert [[item["version"] for item in page] for page in found] == [[5], [4, 3], [2, 1]]


async def test_a_reader_without_drafts_sees_the_active_versions_and_nothing_of_what_was_between() -> None:
    past = Past()
    product_id = await past.happened(*LIFE)
    for reader, actor in ((READER, None), (AUDITOR, "ann")):
        found = [item for page in await pages(past, product_id, 2, reader) for item in page]
        assert [(item["version"], item["actor"]) for item in found] == [(7, actor), (4, actor), (3, actor)]
        # For this reader the product begins with its publication, and the pause had no price of its own.
        assert {one["before"] for one in found[2]["changes"]} == {None}
        restored = {one["field"]: one for one in found[0]["changes"]}
        assert restored["variant"]["before"] is None
        assert restored["variant"]["after"]["price"]["amount"] == "7.00"


async def test_the_deletion_is_the_last_event_of_an_auditor() -> None:
    past = Past()
    product_id = await past.happened(*LIFE, e.ProductDeleted())
    page = (await pages(past, product_id, 50))[0]
    assert (page[0]["type"], page[0]["changes"]) == ("product-deleted", [])


async def test_a_cursor_is_of_one_product() -> None:
    past = Past()
    one, other = await past.happened(*LIFE), await past.happened(*LIFE)
    page = await past.pages.page(one, None, 1, ALL, None)
    with pytest.raises(BadParameter, match="cursor"):
        await past.pages.page(other, page.next_cursor, 1, ALL, None)


async def test_events_that_come_meanwhile_move_no_page() -> None:
    past = Past()
    product_id = await past.happened(*LIFE)
    page = await past.pages.page(product_id, None, 3, ALL, None)
    newer = msgspec.structs.replace(past_events(priced("1.00"))[0], product_id=product_id, stream_version=8)
    await past.log.append([newer])
    rest = await past.pages.page(product_id, page.next_cursor, 50, ALL, None)
    assert [msgspec.json.decode(item)["version"] for item in rest.items] == [4, 3, 2, 1]
