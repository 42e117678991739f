"""Parked events come out again: retried in order, or given up with a reason, and nothing slips between."""

import asyncio
from typing import Any

import msgspec
import pytest

from projector.applying.dead_letters import Action
from projector.parking.retry import Released
from projector.views.product_document import FOLD as DOCUMENTS
from shared.contract import events as e
from shared.contract.recorded_event import RecordedEvent
from tests.eventually import eventually
from tests.integration.lock_waits import lock_waits
from tests.integration.view_world import (
    ACTION,
    Feed,
    Log,
    View,
    log,
    owner,
    parked,
    read_model,
    redis,
    retrying,
    table,
    view_of_every_type,
)
from tests.unit.projector.feed import failing_at
from tests.unit.projector.histories import created, history, new_product_id, priced
from tests.unit.projector.records import UNKNOWN, record_of

view = view_of_every_type
__all__ = ["log", "owner", "read_model", "redis"]
pytestmark = pytest.mark.servers


async def park_second_of_four(view: View, log: Log, read_model: Any) -> tuple[Feed, list[RecordedEvent]]:
    """A product whose second event a defect could not apply, with two followers; all are in the log."""
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"), e.ProductPublished())
    await log.keep(events)
    feed = Feed(view, log, read_model=read_model)
    feed.projection._transaction._fold = failing_at(events[1], feed.fold)
    await feed.deliver(*events, isolate=True)
    assert await feed.shows(events[0].product_id) == feed.folded(events[:1])
    assert [row["stream_version"] for row in await parked(read_model)] == [2, 3, 4]
    return feed, events


async def test_after_the_cause_is_mended_a_retry_applies_all_in_order(
    view: View, log: Log, read_model: Any
) -> None:
    feed, events = await park_second_of_four(view, log, read_model)
    assert await retrying(view, log).retry(events[0].product_id, ACTION) == Released(3, 0)
    assert await feed.shows(events[0].product_id) == feed.folded(events)
    assert await parked(read_model) == []
    assert await read_model.fetchval("SELECT count(*) FROM views.parked_product") == 0
    done = await read_model.fetchrow("SELECT * FROM views.operator_action")
    assert (done["actor"], done["action"], done["reason"]) == ("ann", "retry", "mended")
    assert done["detail"] == "t[0]@1, t[0]@2, t[0]@3"
    assert await retrying(view, log).retry(events[0].product_id, ACTION) == Released(0, 0)


async def test_a_constraint_that_is_lifted_lets_the_retry_through(
    log: Log, read_model: Any, owner: Any
) -> None:
    view = table(read_model)
    feed = Feed(view, log, read_model=read_model)
    events = history(new_product_id(), created(), priced("3.00"), e.ProductPublished())
    await log.keep(events)
    constraint = "ALTER TABLE views.product_view_variant {} CONSTRAINT odd {}"
    await owner.execute(constraint.format("ADD", "CHECK (amount <> 3) NOT VALID"))
    await feed.deliver(*events)
    released = await retrying(view, log).retry(events[0].product_id, ACTION)
    assert (released.released, released.left) == (0, 2)
    assert "odd" in (released.cause or "")
    await owner.execute(constraint.format("DROP", ""))
    assert await retrying(view, log).retry(events[0].product_id, ACTION) == Released(2, 0)
    assert await feed.shows(events[0].product_id) == feed.folded(events)


async def test_an_event_that_arrives_during_a_retry_waits_and_is_applied_after_it(
    log: Log, read_model: Any
) -> None:
    view = table(read_model)
    feed, events = await park_second_of_four(view, log, read_model)
    last = history(events[0].product_id, *[e.ProductArchived()] * 5)[4]
    await log.keep([last])
    feed.projection._transaction._fold = DOCUMENTS
    async with read_model.acquire() as retry, retry.transaction():
        # A retry in the middle: it holds the product's row.
        await retry.execute("SELECT FROM views.parked_product FOR UPDATE")
        arriving = asyncio.create_task(feed.deliver(last))
        await eventually(lambda: lock_waits(read_model, 1))
        await retry.execute("DELETE FROM views.parked_event")
        await retry.execute("DELETE FROM views.parked_product")
    await arriving
    assert await parked(read_model) == []
    shown = await feed.shows(events[0].product_id)
    assert shown is not None
    assert shown[0] == 5


async def test_a_retry_waits_for_the_batch_that_parks_a_follower(log: Log, read_model: Any) -> None:
    view = table(read_model)
    feed, events = await park_second_of_four(view, log, read_model)
    async with read_model.acquire() as batch, batch.transaction():
        await batch.execute("SELECT FROM views.parked_product FOR UPDATE")
        retry = asyncio.create_task(retrying(table(read_model), log).retry(events[0].product_id, ACTION))
        await eventually(lambda: lock_waits(read_model, 1))
        assert not retry.done()
    assert await retry == Released(3, 0)
    assert await feed.shows(events[0].product_id) == feed.folded(events)


async def test_what_is_discarded_is_passed_over_as_a_version_and_the_rest_goes_on(
    view: View, log: Log, read_model: Any
) -> None:
    feed, events = await park_second_of_four(view, log, read_model)
    product_id = events[0].product_id
    action = Action("ann", "discard", "the price was never meant")
    assert await retrying(view, log).discard(product_id, action, events=1) == Released(1, 2)
    still_failing = failing_at(events[1], feed.fold)
    assert await retrying(view, log, fold=still_failing).retry(product_id, ACTION) == Released(2, 0)
    passed_over = msgspec.structs.replace(events[1], event_type=UNKNOWN)
    assert await feed.shows(product_id) == feed.folded([events[0], passed_over, *events[2:]])


async def test_a_record_without_a_product_is_read_again_or_given_up(log: Log, read_model: Any) -> None:
    view = table(read_model)
    events = history(new_product_id(), created(), priced("2.00"))
    await log.keep(events)
    feed = Feed(view, log, read_model=read_model)
    await feed.deliver_records(record_of(events[0], 0), record_of(events[1], 1, headers=()))
    (row,) = await parked(read_model)
    dead_letter = row["parked_event_id"]
    released = await retrying(view, log).retry_single(dead_letter, ACTION)
    assert (released.released, released.left) == (0, 1)
    assert "ce_subject" in (released.cause or "")
    headers = record_of(events[1], 1).headers
    await read_model.execute(
        "UPDATE views.parked_event SET header_names = $1, header_values = $2",
        [name for name, _ in headers], [value for _, value in headers],
    )  # fmt: skip
    assert await retrying(view, log).retry_single(dead_letter, ACTION) == Released(1, 0)
    assert await feed.shows(events[0].product_id) == feed.folded(events)
    await feed.deliver_records(record_of(events[1], 5, key=None))
    (row,) = await parked(read_model)
    assert await retrying(view, log).discard_single(row["parked_event_id"], ACTION) == Released(1, 0)
    assert await parked(read_model) == []
