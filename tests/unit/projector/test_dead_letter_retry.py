"""Parked events come out again: retried in order, or given up with a reason, and nothing slips between."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projector.applying.dead_letters import Action
from projector.errors import HistoryDoesNotFold, Unavailable
from projector.parking.retry import CannotDiscard, Released
from projector.projections import PRODUCT_CACHE
from shared.contract import events as e
from shared.contract.recorded_event import RecordedEvent
from tests.eventually import eventually
from tests.unit.projector.feed import VIEWS_OF_EVERY_TYPE, Feed, failing_at
from tests.unit.projector.histories import created, history, new_product_id, priced
from tests.unit.projector.records import UNKNOWN, broken, record_of

ACTION = Action("ann", "retry", "mended")


@pytest.fixture(params=VIEWS_OF_EVERY_TYPE)
def feed(request: pytest.FixtureRequest) -> Feed:
    return Feed(request.param)


async def park_second_of_four(feed: Feed) -> list[RecordedEvent]:
    """A product whose second event a defect could not apply, with two followers; all are in the log."""
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"), e.ProductPublished())
    await feed.log.keep(events)
    feed.use(failing_at(events[1], feed.fold))
    await feed.deliver(*events, isolate=True)
    assert await feed.shows(events[0].product_id) == feed.folded(events[:1])
    assert [version for _, version in feed.reasons] == [2, 3, 4]
    return events


async def test_after_the_cause_is_mended_a_retry_applies_all_in_order(feed: Feed) -> None:
    events = await park_second_of_four(feed)
    assert await feed.retrying().retry(events[0].product_id, ACTION) == Released(3, 0)
    assert await feed.shows(events[0].product_id) == feed.folded(events)
    assert (feed.parked, feed.stores.rows.products) == ([], {})
    (done,) = feed.stores.rows.done
    assert (done.action, done.detail) == (ACTION, "t[0]@1, t[0]@2, t[0]@3")
    assert await feed.retrying().retry(events[0].product_id, ACTION) == Released(0, 0)


async def test_a_retry_that_fails_again_keeps_what_is_left_and_tells_the_new_cause(feed: Feed) -> None:
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"), priced("4.00"))
    worse = broken(events[2], schema_version=7)
    await feed.deliver(events[0], broken(events[1]), worse, events[3])
    assert (await feed.retrying().retry(events[0].product_id, ACTION)).released == 0
    feed.mend(2, value=events[1].data)
    released = await feed.retrying().retry(events[0].product_id, ACTION)
    assert (released.released, released.left) == (1, 2)
    assert "v7" in (released.cause or "")
    assert await feed.shows(events[0].product_id) == feed.folded(events[:2])
    (product,) = feed.stores.rows.products.values()
    assert (product.error_class, product.attempts, product.events) == ("unknown-schema-version", 3, 2)


async def test_an_unforeseen_error_of_one_product_is_noted_and_is_no_error_of_the_command(feed: Feed) -> None:
    events = await park_second_of_four(feed)

    def defect(*_: object) -> None:
        raise ZeroDivisionError("a defect in the fold")

    released = await feed.retrying(fold=feed.fold._replace(apply=defect)).retry(events[0].product_id, ACTION)
    assert released == Released(0, 3, "ZeroDivisionError: a defect in the fold")
    (product,) = feed.stores.rows.products.values()
    assert (product.error_class, product.attempts, product.events) == ("unknown", 2, 3)
    assert await feed.shows(events[0].product_id) == feed.folded(events[:1])


async def test_a_record_that_was_spoilt_on_its_way_is_taken_from_the_log(feed: Feed) -> None:
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"))
    await feed.log.keep(events)
    await feed.deliver(events[0], broken(events[1]), events[2])
    released = await feed.retrying().retry(events[0].product_id, ACTION)
    assert (released.released, released.left) == (0, 2)
    assert await feed.retrying().retry(events[0].product_id, ACTION, from_log=True) == Released(2, 0)
    assert await feed.shows(events[0].product_id) == feed.folded(events)


@pytest.mark.parametrize("name", [name for name in VIEWS_OF_EVERY_TYPE if name != PRODUCT_CACHE.name])
async def test_a_constraint_that_is_lifted_lets_the_retry_through(name: str) -> None:
    feed = Feed(name)
    events = history(new_product_id(), created(), priced("3.00"), e.ProductPublished())
    await feed.log.keep(events)
    feed.stores.read_model.refusal = lambda change: "odd" if change.stream_version > 1 else None
    await feed.deliver(*events)
    released = await feed.retrying().retry(events[0].product_id, ACTION)
    assert (released.released, released.left, released.cause) == (0, 2, "odd")
    (product,) = feed.stores.rows.products.values()
    assert (product.error_class, product.attempts) == ("refused-by-store", 2)
    feed.stores.read_model.refusal = lambda change: None
    assert await feed.retrying().retry(events[0].product_id, ACTION) == Released(2, 0)
    assert await feed.shows(events[0].product_id) == feed.folded(events)


async def test_an_event_that_arrives_during_a_retry_waits_and_is_applied_after_it(feed: Feed) -> None:
    events = await park_second_of_four(feed)
    last = history(events[0].product_id, *[e.ProductArchived()] * 5)[4]
    await feed.log.keep([last])
    feed.use(feed.fold)
    async with feed.stores.view().begin({}) as retry:
        await retry.still_parked([last.product_id])
        arriving = asyncio.create_task(feed.deliver(last))
        await eventually(feed.stores.somebody_waits)
        await retry.release(await retry.parked(last.product_id), ACTION)
    await arriving
    assert feed.parked == []
    assert await feed.shows(last.product_id) == feed.folded([*events, last])


async def test_a_retry_waits_for_the_batch_that_parks_a_follower(feed: Feed) -> None:
    events = await park_second_of_four(feed)
    async with feed.stores.view().begin({}) as batch:
        await batch.still_parked([events[0].product_id])
        retry = asyncio.create_task(feed.retrying().retry(events[0].product_id, ACTION))
        await eventually(feed.stores.somebody_waits)
        assert not retry.done()
    assert await retry == Released(3, 0)
    assert await feed.shows(events[0].product_id) == feed.folded(events)


async def test_what_is_discarded_is_passed_over_as_a_version_and_the_rest_goes_on(feed: Feed) -> None:
    events = await park_second_of_four(feed)
    product_id = events[0].product_id
    action = Action("ann", "discard", "the price was never meant")
    assert await feed.retrying().discard(product_id, action, events=1) == Released(1, 2)
    still_failing = failing_at(events[1], feed.fold)
    assert await feed.retrying(fold=still_failing).retry(product_id, ACTION) == Released(2, 0)
    passed_over = msgspec.structs.replace(events[1], event_type=UNKNOWN)
    assert await feed.shows(product_id) == feed.folded([events[0], passed_over, *events[2:]])


async def test_a_record_that_never_happened_is_only_forgotten(feed: Feed) -> None:
    events = history(new_product_id(), created(), priced("2.00"))
    forged = broken(history(events[0].product_id, created(), priced("9.00"))[1])
    await feed.log.keep(events)
    await feed.deliver(events[0], forged, events[1])
    assert [error_class for error_class, _ in feed.reasons] == ["undecodable", "follower"]
    assert await feed.retrying().discard(events[0].product_id, ACTION, events=1) == Released(1, 1)
    assert await feed.retrying().retry(events[0].product_id, ACTION) == Released(1, 0)
    assert await feed.shows(events[0].product_id) == feed.folded(events)


async def test_a_creation_cannot_be_passed_over(feed: Feed) -> None:
    events = history(new_product_id(), created(), priced("2.00"))
    await feed.log.keep(events)
    feed.use(failing_at(events[0], feed.fold))
    await feed.deliver(*events, isolate=True)
    with pytest.raises(CannotDiscard, match="version 0"):
        await feed.retrying().discard(events[0].product_id, ACTION)
    assert len(feed.parked) == 2


async def test_a_record_without_a_product_is_read_again_or_given_up(feed: Feed) -> None:
    events = history(new_product_id(), created(), priced("2.00"))
    await feed.log.keep(events)
    await feed.deliver_records(record_of(events[0], 0), record_of(events[1], 1, headers=()))
    number = feed.parked[0].record.dead_letter_id
    released = await feed.retrying().retry_single(number, ACTION)
    assert (released.released, released.left) == (0, 1)
    assert "ce_subject" in (released.cause or "")
    feed.mend(None, headers=record_of(events[1], 1).headers)
    assert await feed.retrying().retry_single(number, ACTION) == Released(1, 0)
    assert await feed.shows(events[0].product_id) == feed.folded(events)
    await feed.deliver_records(record_of(events[1], 5, key=None))
    number = feed.parked[0].record.dead_letter_id
    assert await feed.retrying().discard_single(number, ACTION) == Released(1, 0)
    assert feed.parked == []
    assert await feed.retrying().retry_single(number, ACTION) == Released(0, 0)
    assert await feed.retrying().discard_single(number, ACTION) == Released(0, 0)


async def test_a_record_of_a_parked_product_waits_for_what_is_parked_before_it(feed: Feed) -> None:
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"))
    await feed.deliver(events[0], broken(events[1]))
    await feed.deliver_records(record_of(events[2], 2, headers=()))
    await feed.log.keep(events)
    number = feed.parked[1].record.dead_letter_id
    feed.mend(None, headers=record_of(events[2], 2).headers)
    assert (await feed.retrying().retry_single(number, ACTION)).released == 0
    assert await feed.shows(events[0].product_id) == feed.folded(events[:1])
    assert await feed.retrying().retry(events[0].product_id, ACTION, from_log=True) == Released(1, 0)
    assert await feed.retrying().retry_single(number, ACTION) == Released(1, 0)
    assert await feed.shows(events[0].product_id) == feed.folded(events)


async def test_a_record_that_the_log_does_not_have_stays_parked_until_it_is_given_up(feed: Feed) -> None:
    events = history(new_product_id(), created(), priced("2.00"))
    await feed.log.keep(events[:1])
    await feed.deliver_records(record_of(events[0], 0), record_of(events[1], 1, headers=()))
    number = feed.parked[0].record.dead_letter_id
    feed.mend(None, headers=record_of(events[1], 1).headers)
    released = await feed.retrying().retry_single(number, ACTION)
    assert (released.released, released.left) == (0, 1)
    assert "discard it" in (released.cause or "")
    assert len(feed.parked) == 1


async def test_lists_that_show_the_retried_product_become_stale(feed: Feed) -> None:
    class Heard:
        def __init__(self) -> None:
            self.products: list[UUID] = []

        async def changed(self, changes: Sequence[Any]) -> None:
            self.products += [change.product_id for change in changes]

    heard = Heard()
    events = await park_second_of_four(feed)
    await feed.retrying(listener=heard).retry(events[0].product_id, ACTION)
    assert heard.products == [events[0].product_id]


async def test_a_retry_that_a_server_leaves_in_the_middle_changes_nothing(feed: Feed) -> None:
    events = await park_second_of_four(feed)
    feed.log.reading.failure = Unavailable("away")
    for attempt in (feed.retrying().retry, feed.retrying().discard):
        with pytest.raises(Unavailable):
            await attempt(events[0].product_id, ACTION)
    assert [version for _, version in feed.reasons] == [2, 3, 4]
    assert await feed.shows(events[0].product_id) == feed.folded(events[:1])
    feed.log.reading.failure = None
    assert await feed.retrying().retry(events[0].product_id, ACTION) == Released(3, 0)


@pytest.mark.parametrize("name", VIEWS_OF_EVERY_TYPE)
@settings(max_examples=40, deadline=None)
@given(
    bad=st.sets(st.integers(2, 8), min_size=1, max_size=4),
    steps=st.lists(st.sampled_from(["mend", "retry", "discard"]), max_size=12),
)
async def test_however_a_product_is_retried_it_comes_out_in_order_and_whole(
    name: str, bad: set[int], steps: list[str]
) -> None:
    """After each step the view has what comes before the first event that is still parked."""
    feed = Feed(name)
    events = history(new_product_id(), created(), *(priced(f"{n}.00") for n in range(2, 9)))
    product_id = events[0].product_id
    failing, passed_over = set(bad), set[int]()
    await feed.log.keep(events)

    def present_fold() -> Any:
        fold = feed.fold
        for version in failing:
            fold = failing_at(events[version - 1], fold, HistoryDoesNotFold("not yet"))
        return fold

    feed.use(present_fold())
    await feed.deliver(*events)
    for step in [*steps, *["mend", "retry"] * len(bad)]:
        first = min((one.record.stream_version or 0 for one in feed.parked), default=None)
        if step == "mend" and failing:
            failing.remove(min(failing))
        elif step == "discard" and first is not None:
            await feed.retrying(fold=present_fold()).discard(product_id, ACTION, events=1)
            passed_over.add(first)
        elif step == "retry":
            released = await feed.retrying(fold=present_fold()).retry(product_id, ACTION)
            assert released.left == len(feed.parked)
        left = sorted(one.record.stream_version or 0 for one in feed.parked)
        reached = left[0] - 1 if left else len(events)
        assert left == list(range(reached + 1, len(events) + 1))
        shown = [
            msgspec.structs.replace(one, event_type=UNKNOWN) if one.stream_version in passed_over else one
            for one in events[:reached]
        ]
        assert await feed.shows(product_id) == feed.folded(shown)
    assert feed.parked == []
