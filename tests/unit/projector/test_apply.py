"""Over every view's fold: whatever Kafka delivers, and how often, the view is the fold of the log."""

import random
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projector.applying.ports import Checkpoint
from projector.errors import Fenced, Unavailable
from shared.contract import events as e
from tests.unit.projector.feed import VIEWS, Feed
from tests.unit.projector.histories import created, history, new_product_id, priced, random_history
from tests.unit.projector.records import LOG_ID, UNKNOWN, record_of


@pytest.fixture(params=VIEWS)
def feed(request: pytest.FixtureRequest) -> Feed:
    return Feed(request.param)


async def test_events_delivered_twice_change_nothing_the_second_time(feed: Feed) -> None:
    events = history(new_product_id(), created(), priced("2.00"))
    await feed.deliver(*events)
    applied = await feed.deliver(*events, *events)
    assert {result for _, result in applied.tally} == {"duplicate"}
    assert await feed.shows(events[0].product_id) == feed.folded(events)


async def test_a_batch_that_repeats_itself_out_of_order_is_applied_once_and_in_order(feed: Feed) -> None:
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"))
    applied = await feed.deliver(events[2], events[0], events[1], events[0])
    assert sum(number for (_, result), number in applied.tally.items() if result != "duplicate") == 3
    assert await feed.shows(events[0].product_id) == feed.folded(events)


async def test_versions_that_kafka_skipped_are_read_from_the_log_in_order(feed: Feed) -> None:
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"), e.ProductPublished())
    await feed.log.keep(events)
    await feed.deliver(events[0])
    applied = await feed.deliver(events[3])
    assert not applied.dead_letters
    is_used = "product-price-changed" in feed.fold.event_types
    assert applied.tally["product-price-changed", "gap_filled" if is_used else "skipped"] == 2
    assert await feed.shows(events[0].product_id) == feed.folded(events)


async def test_a_version_that_even_the_log_lacks_stops_its_partition_before_it_and_no_other(
    feed: Feed,
) -> None:
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"))
    other, behind = history(new_product_id(), created()), history(new_product_id(), created())
    elsewhere = history(new_product_id(), created())
    await feed.log.keep([events[0], events[2], *other, *behind, *elsewhere])
    records = [record_of(one, offset) for offset, one in enumerate((events[0], *other, events[2], *behind))]
    applied = await feed.deliver_records(*records, record_of(elsewhere[0], 0, partition=1))
    assert set(applied.stopped) == {0}
    offset, reason = applied.stopped[0]
    assert offset == 2
    assert "lacks version 2" in reason
    assert await feed.shows(events[0].product_id) == feed.folded(events[:1])
    assert await feed.shows(other[0].product_id) == feed.folded(other)
    assert await feed.shows(behind[0].product_id) is None
    assert await feed.shows(elsewhere[0].product_id) == feed.folded(elsewhere)
    await feed.log.keep([events[1]])
    applied = await feed.deliver_records(*records[2:])
    assert not applied.stopped
    assert await feed.shows(events[0].product_id) == feed.folded(events)


async def test_a_log_replica_that_is_behind_kafka_is_waited_for(feed: Feed) -> None:
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"))
    await feed.log.keep(events[:2])
    with pytest.raises(Unavailable, match="replica"):
        await feed.deliver(events[2])
    await feed.log.keep(events[2:])
    assert not (await feed.deliver(events[2])).dead_letters


async def test_an_unknown_type_is_skipped_but_counts_as_a_version(feed: Feed) -> None:
    events = history(new_product_id(), created(), e.ProductPublished(), priced("3.00"))
    events[1] = msgspec.structs.replace(events[1], event_type=UNKNOWN)
    applied = await feed.deliver(*events)
    assert applied.tally[UNKNOWN, "skipped"] == 1
    assert await feed.shows(events[0].product_id) == feed.folded(events)
    assert applied.tally.total() == 3


async def test_an_unknown_type_alone_moves_the_version_so_no_gap_follows(feed: Feed) -> None:
    events = history(new_product_id(), created(), e.ProductPublished(), priced("3.00"))
    events[1] = msgspec.structs.replace(events[1], event_type=UNKNOWN)
    for one in events:
        applied = await feed.deliver(one)
        assert not applied.dead_letters
        assert await feed.shows(one.product_id) == feed.folded(events[: one.stream_version])
    assert {result for _, result in applied.tally} <= {"applied", "skipped"}


@pytest.mark.parametrize("name", VIEWS)
@settings(max_examples=50, deadline=None)
@given(histories=st.lists(random_history(), min_size=1, max_size=4), seed=st.integers(0, 2**32))
async def test_any_interleaving_with_duplicates_and_losses_ends_as_the_fold_of_the_log(
    name: str, histories: Sequence[Sequence[e.ProductEvent]], seed: int
) -> None:
    chance, feed = random.Random(seed), Feed(name)
    streams = [history(new_product_id(), *happened) for happened in histories]
    for stream in streams:
        await feed.log.keep(stream)
    deliveries = [one for stream in streams for one in stream]
    deliveries += chance.choices(deliveries, k=len(deliveries) // 2)
    chance.shuffle(deliveries)
    # What is lost on the way is never the newest version: that one would be no gap, just not there yet.
    newest = {stream[-1].metadata.event_id for stream in streams}
    kept = [one for one in deliveries if one.metadata.event_id in newest or chance.random() < 0.7]
    while kept:
        size = chance.randint(1, 5)
        applied = await feed.deliver(*kept[:size])
        assert not applied.dead_letters
        kept = kept[size:]
    for stream in streams:
        assert await feed.shows(stream[0].product_id) == feed.folded(stream)


async def test_a_replaced_instance_applies_nothing_and_goes_on_where_its_successor_is() -> None:
    first = Feed()
    second = first.another()
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"))
    await first.deliver(events[0])
    await second.projection.place([0])
    second.offset = 1
    await second.deliver(events[1])
    with pytest.raises(Fenced):
        await first.deliver(events[1])
    assert await first.shows(events[0].product_id) == first.folded(events[:2])
    assert (await first.projection.place([0]))[0].next_offset == 2
    first.offset = 2
    await first.deliver(events[2])
    assert await first.shows(events[0].product_id) == first.folded(events)


async def test_dropped_duplicates_move_the_checkpoint_but_never_back() -> None:
    feed, events = Feed(), history(new_product_id(), created(), priced("2.00"), first_position=5)
    await feed.deliver(*events)
    await feed.deliver(*events[:1])
    assert await feed.view.checkpoints([0]) == {0: Checkpoint(3, 6, LOG_ID)}


async def test_a_batch_ends_after_its_furthest_record_whatever_the_order() -> None:
    older, newer = history(new_product_id(), created(), priced("2.00"), first_position=5)
    feed = Feed()
    await feed.deliver_records(record_of(older, 5), record_of(newer, 3), record_of(newer, 0, partition=1))
    assert await feed.view.checkpoints([0, 1]) == {0: Checkpoint(6, 6, LOG_ID), 1: Checkpoint(1, 6, LOG_ID)}


@pytest.mark.parametrize("lost", [0, 1])
async def test_a_document_that_a_cache_lost_comes_back_as_new_as_the_log(lost: int) -> None:
    feed = Feed("product_cache")
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"), e.ProductPublished())
    await feed.log.keep(events)
    await feed.projection.place([0])
    await feed.deliver(*events)
    feed.view.lose(events[0].product_id)
    await feed.deliver(events[lost])
    assert await feed.shows(events[0].product_id) == feed.folded(events)


async def test_while_a_store_is_away_nothing_is_applied_and_the_same_batch_passes_afterwards(
    feed: Feed,
) -> None:
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"))
    await feed.log.keep(events)
    feed.stores.read_model.failure = Unavailable("away")
    with pytest.raises(Unavailable):
        await feed.deliver(events[0], events[2])
    feed.stores.read_model.failure, feed.log.reading.failure = None, Unavailable("away")
    with pytest.raises(Unavailable):
        await feed.deliver(events[0], events[2])
    assert await feed.shows(events[0].product_id) is None
    feed.log.reading.failure = None
    await feed.deliver(events[0], events[2])
    assert await feed.shows(events[0].product_id) == feed.folded(events)
