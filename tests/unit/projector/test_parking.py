"""What can never be applied is parked with its product, in order, and costs nobody else anything."""

import random
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projector.applying.dead_letters import Action
from projector.applying.parking_breaker import ParkingBreaker
from projector.applying.ports import Change, Checkpoint
from projector.errors import LogDiffers, ParkingIsFull, Unavailable
from projector.parking.postgres.parking import ParkingLimits
from projector.projections import PRODUCT_CACHE
from shared.contract import events as e
from shared.contract.recorded_event import RecordedEvent
from tests.unit.projector.feed import VIEWS_OF_EVERY_TYPE, Feed, Odd, failing_at
from tests.unit.projector.histories import created, history, new_product_id, priced, random_history
from tests.unit.projector.records import LOG_ID, broken, record_of

ACTION = Action("ann", "retry", "mended")


@pytest.fixture(params=VIEWS_OF_EVERY_TYPE)
def feed(request: pytest.FixtureRequest) -> Feed:
    return Feed(request.param)


@pytest.mark.parametrize(
    ("changed", "error_class"),
    [
        ({"data": b"{"}, "undecodable"),
        ({"schema_version": 99}, "unknown-schema-version"),
        ({"data": b"[]"}, "undecodable"),
        (
            {"data": b'{"sku":"nobody","price":{"amount":"1.00","currency":"EUR"},"previous_price":null}'},
            "undecodable",
        ),
        (
            {
                "data": b'{"sku":"nobody","price":{"amount":"1.00","currency":"EUR"},'
                b'"previous_price":{"amount":"2.00","currency":"EUR"}}'
            },
            "history-does-not-fold",
        ),
    ],
    ids=["broken-json", "unknown-schema-version", "wrong-shape", "null-in-it", "unknown-sku"],
)
async def test_an_event_that_can_never_be_applied_parks_with_every_later_event_of_its_product(
    feed: Feed, changed: dict[str, Any], error_class: str
) -> None:
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"), e.ProductPublished())
    events[1] = broken(events[1], **changed)
    before, behind = history(new_product_id(), created()), history(new_product_id(), created())
    await feed.deliver(events[0], *before, events[1], events[2], *behind)
    await feed.deliver(events[3])
    assert await feed.shows(events[0].product_id) == feed.folded(events[:1])
    assert await feed.shows(before[0].product_id) == feed.folded(before)
    assert await feed.shows(behind[0].product_id) == feed.folded(behind)
    assert feed.reasons == [(error_class, 2), ("follower", 3), ("follower", 4)]
    ((product_id, product),) = feed.stores.rows.products.items()
    assert (product_id, product.events, product.error_class) == (events[0].product_id, 3, error_class)


@pytest.mark.parametrize(
    "poison", ["none-header", "latin-1", "no-headers", "tombstone", "wrong-key", "no-key", "huge"]
)
async def test_a_record_that_cannot_be_read_parks_alone_and_the_log_tells_what_it_was(
    feed: Feed, poison: str
) -> None:
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"))
    await feed.log.keep(events)
    record = record_of(events[1], 1)
    headers = dict(record.headers)
    changed: dict[str, Any] = {
        "none-header": {"headers": tuple({**headers, "ce_correlationid": None}.items())},
        "latin-1": {"headers": tuple({**headers, "ce_correlationid": "Äpfel".encode("latin-1")}.items())},
        "no-headers": {"headers": ()},
        "tombstone": {"value": None},
        "wrong-key": {"key": str(new_product_id()).encode()},
        "no-key": {"key": None},
        "huge": {"headers": tuple({**headers, "ce_position": b"9" * 30}.items())},
    }[poison]
    await feed.deliver_records(record_of(events[0], 0), record_of(events[1], 1, **changed))
    if poison not in ("wrong-key", "no-key"):
        # Its key says whose it was: what the log has of that product is there at once.
        assert await feed.shows(events[0].product_id) == feed.folded(events)
    await feed.deliver(events[2])
    assert await feed.shows(events[0].product_id) == feed.folded(events)
    assert feed.reasons == [("unreadable-record", None)]
    assert feed.stores.rows.products == {}


async def test_a_spoilt_event_that_the_log_has_beyond_a_batch_is_parked_when_kafka_delivers_it(
    feed: Feed,
) -> None:
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"), e.ProductPublished())
    events[3] = broken(events[3])
    await feed.log.keep(events)
    await feed.deliver(events[0], events[2])
    assert await feed.shows(events[0].product_id) == feed.folded(events[:3])
    assert feed.parked == []
    await feed.deliver(events[3])
    assert await feed.shows(events[0].product_id) == feed.folded(events[:3])
    assert feed.reasons == [("undecodable", 4)]


async def test_a_duplicate_that_cannot_be_decoded_is_dropped_like_any_other(feed: Feed) -> None:
    events = history(new_product_id(), created(), priced("2.00"))
    await feed.deliver(*events)
    applied = await feed.deliver(broken(events[0]), broken(events[1], schema_version=99))
    assert applied.tally == {("product-created", "duplicate"): 1, ("product-price-changed", "duplicate"): 1}
    assert feed.parked == []


async def test_delivered_again_a_parked_event_is_parked_once_and_its_product_goes_no_further(
    feed: Feed,
) -> None:
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"))
    bad = broken(events[1])
    await feed.deliver(events[0], bad, events[2])
    # As after a crash before the offsets were committed, by an instance that knows nothing yet.
    second = feed.another()
    await second.projection.place([0])
    await second.deliver_records(record_of(bad, 1), record_of(events[2], 2), record_of(events[2], 3))
    assert [(one.record.offset, one.record.error_class) for one in second.parked] == [
        (1, "undecodable"), (2, "follower"), (3, "follower"),
    ]  # fmt: skip
    assert await second.shows(events[0].product_id) == second.folded(events[:1])


async def test_an_instance_that_takes_over_knows_what_is_parked(feed: Feed) -> None:
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"))
    await feed.log.keep(events)
    await feed.deliver(events[0], broken(events[1]))
    successor = feed.another()
    await successor.projection.place([0])
    successor.offset = 2
    await successor.deliver(events[2])
    # Although the log could have filled the gap: parked is parked, until an operator says otherwise.
    assert await successor.shows(events[0].product_id) == successor.folded(events[:1])
    assert [one for one, _ in feed.reasons] == ["undecodable", "follower"]


async def test_a_product_that_was_retried_meanwhile_goes_on(feed: Feed) -> None:
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"))
    await feed.log.keep(events)
    await feed.deliver(events[0], broken(events[1]))
    feed.stores.rows.records.clear()
    feed.stores.rows.products.clear()
    await feed.deliver(events[2])
    assert await feed.shows(events[0].product_id) == feed.folded(events)
    assert feed.parked == []


async def test_a_checkpoint_never_passes_what_could_not_be_parked() -> None:
    events = history(new_product_id(), created(), priced("2.00"), first_position=1)
    feed = Feed(limits=ParkingLimits(products_max=0))
    await feed.deliver(events[0])
    with pytest.raises(ParkingIsFull):
        await feed.deliver(broken(events[1]))
    # What came before is applied; where there is no way to park, there is no way past.
    assert await feed.view.checkpoints([0]) == {0: Checkpoint(1, 1, LOG_ID)}
    assert feed.parked == []
    room = feed.another()
    await room.projection.place([0])
    await room.deliver(events[0], broken(events[1]))
    assert await room.view.checkpoints([0]) == {0: Checkpoint(2, 2, LOG_ID)}
    assert len(room.parked) == 1


@pytest.fixture(params=[name for name in VIEWS_OF_EVERY_TYPE if name != PRODUCT_CACHE.name])
def table(request: pytest.FixtureRequest) -> Feed:
    """A view whose store has constraints, which a cache has not."""
    return Feed(request.param)


async def test_a_value_that_the_store_refuses_parks_its_product_alone(table: Feed) -> None:
    feed = table
    good = [history(new_product_id(), created(), first_position=number)[0] for number in range(1, 8)]
    bad = history(new_product_id(), created(), priced("2.00"))
    feed.stores.read_model.refusal = lambda change: "no" if change.product_id == bad[0].product_id else None
    await feed.deliver(*good[:5], *bad, *good[5:])
    for one in good:
        assert await feed.shows(one.product_id) == feed.folded([one])
    assert await feed.shows(bad[0].product_id) is None
    assert feed.reasons == [("refused-by-store", 1), ("follower", 2)]


async def test_a_constraint_parks_the_event_that_violates_it_and_not_the_ones_before(table: Feed) -> None:
    feed = table
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"), priced("4.00"))
    others = [history(new_product_id(), created(), priced("2.00")) for _ in range(3)]
    feed.stores.read_model.refusal = lambda change: "three is odd" if change.stream_version > 2 else None
    await feed.deliver(*others[0], *events, *others[1], *others[2])
    assert await feed.shows(events[0].product_id) == feed.folded(events[:2])
    for other in others:
        assert await feed.shows(other[0].product_id) == feed.folded(other)
    assert feed.reasons == [("refused-by-store", 3), ("follower", 4)]
    assert feed.parked[0].cause == "three is odd"


async def test_an_unknown_error_is_isolated_and_its_event_parked(feed: Feed) -> None:
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"))
    others = [history(new_product_id(), created())[0] for _ in range(4)]
    feed.use(failing_at(events[1], feed.fold))
    batch = (*others[:2], *events, *others[2:])
    with pytest.raises(Odd):
        await feed.deliver(*batch)
    assert feed.parked == []
    await feed.deliver(*batch, isolate=True)
    for one in others:
        assert await feed.shows(one.product_id) == feed.folded([one])
    assert await feed.shows(events[0].product_id) == feed.folded(events[:1])
    assert feed.reasons == [("unknown", 2), ("follower", 3)]
    assert feed.parked[0].cause == "Odd: boom"


async def test_when_many_products_fail_the_breaker_opens_before_they_are_parked(feed: Feed) -> None:
    now = [0.0]
    breaker = ParkingBreaker(products_max=2, window_seconds=60, clock=lambda: now[0])
    feed = feed.another(breaker=breaker)
    bad = [broken(history(new_product_id(), created(), first_position=at)[0]) for at in (1, 11, 12, 13)]
    await feed.deliver(bad[0])
    with pytest.raises(ParkingIsFull):
        await feed.deliver(*bad[1:])
    assert breaker.is_open
    # It stays open although a single one would fit into the window, and time alone does not close it.
    now[0] = 1000.0
    with pytest.raises(ParkingIsFull):
        await feed.deliver(bad[1])
    assert len(feed.parked) == 1
    await feed.deliver(history(new_product_id(), created(), first_position=2)[0])
    assert not breaker.is_open
    await feed.deliver(bad[1])
    assert len(feed.parked) == 2


async def test_a_bound_on_what_is_parked_holds_the_projection_and_loses_nothing(feed: Feed) -> None:
    feed = feed.another(limits=ParkingLimits(products_max=1, events_per_product_max=2))
    events = history(new_product_id(), created(), priced("1.00"), priced("2.00"), priced("3.00"))
    await feed.deliver(events[0], broken(events[1]), events[2])
    with pytest.raises(ParkingIsFull, match="events"):
        await feed.deliver(events[3])
    with pytest.raises(ParkingIsFull, match="products"):
        await feed.deliver(broken(history(new_product_id(), created())[0]))
    assert len(feed.parked) == 2


async def test_a_bound_on_single_records_holds_the_projection_too(feed: Feed) -> None:
    feed = feed.another(limits=ParkingLimits(products_max=1, events_per_product_max=2))
    event = history(new_product_id(), created())[0]
    await feed.deliver_records(record_of(event, 0, headers=()))
    with pytest.raises(ParkingIsFull, match="single records"):
        await feed.deliver_records(record_of(event, 1, headers=()))
    assert len(feed.parked) == 1


async def test_an_event_of_another_log_is_never_parked(feed: Feed) -> None:
    event = history(new_product_id(), created())[0]
    headers = tuple({**dict(record_of(event, 0).headers), "ce_logid": str(UUID(int=9)).encode()}.items())
    with pytest.raises(LogDiffers, match=str(UUID(int=9))):
        await feed.deliver_records(record_of(event, 0, headers=headers))
    await feed.stores.order(0, 0, "a stray")
    await feed.projection.place([0])
    await feed.deliver_records(record_of(event, 0, headers=headers))
    assert [(one.record.error_class, one.cause) for one in feed.parked] == [
        ("ordered", "ordered by an operator: a stray")
    ]


async def test_a_record_behind_a_hole_that_was_ordered_to_be_parked_lets_its_partition_go_on(
    feed: Feed,
) -> None:
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"))
    behind = history(new_product_id(), created())
    await feed.log.keep([events[0], events[2], *behind])
    applied = await feed.deliver(events[0], events[2], *behind)
    assert applied.stopped[0][0] == 1
    await feed.stores.order(0, 1, "forged")
    await feed.projection.place([0])
    applied = await feed.deliver_records(record_of(events[2], 1), record_of(behind[0], 2))
    assert not applied.stopped
    assert await feed.shows(behind[0].product_id) == feed.folded(behind)
    assert not feed.stores.forgets or await feed.shows(events[0].product_id) == feed.folded(events[:1])


class Poisoning(NamedTuple):
    """By product its one event that cannot be applied: `refused` by the store, or else spoilt on its way."""

    bad: dict[UUID, RecordedEvent]
    refused: set[UUID]

    def refusal(self, change: Change[Any]) -> str | None:
        """The store's."""
        bad = self.bad.get(change.product_id) if change.product_id in self.refused else None
        return "refused" if bad is not None and change.stream_version >= bad.stream_version else None

    def delivered(self, event: RecordedEvent) -> RecordedEvent:
        """As it comes from Kafka."""
        is_spoilt = self.bad.get(event.product_id) is event and event.product_id not in self.refused
        return broken(event) if is_spoilt else event


@pytest.mark.parametrize("name", VIEWS_OF_EVERY_TYPE)
@settings(max_examples=60, deadline=None)
@given(histories=st.lists(random_history(), min_size=1, max_size=5), seed=st.integers(0, 2**32))
async def test_any_batches_with_poison_repeats_and_outages_end_as_the_fold_of_the_log_once_retried(
    name: str, histories: Sequence[Sequence[e.ProductEvent]], seed: int
) -> None:
    """Incremental equals rebuilt."""
    chance, feed = random.Random(seed), Feed(name)
    streams = [history(new_product_id(), *happened) for happened in histories]
    for stream in streams:
        await feed.log.keep(stream)
    bad = {stream[0].product_id: chance.choice(stream) for stream in streams if chance.random() < 0.6}
    refused = set() if feed.stores.forgets else {one for one in bad if chance.random() < 0.3}
    poisoning = Poisoning(bad, refused)
    feed.stores.read_model.refusal = poisoning.refusal
    await _deliver(feed, streams, poisoning, chance)
    for stream in streams:
        await _shows_and_parks_all_of(feed, stream, poisoning)
    feed.stores.read_model.refusal = lambda change: None
    for product_id in bad:
        released = await feed.retrying().retry(product_id, ACTION, from_log=True)
        assert (released.left, released.cause) == (0, None)
    for stream in streams:
        assert await feed.shows(stream[0].product_id) == feed.folded(stream)
    assert (feed.parked, feed.stores.rows.products) == ([], {})


async def _deliver(
    feed: Feed, streams: Sequence[Sequence[RecordedEvent]], poisoning: Poisoning, chance: random.Random
) -> None:
    """As Kafka does: a product's events in order, and from time to time a stretch once more."""
    left = [list(stream) for stream in streams]
    deliveries: list[RecordedEvent] = []
    while any(left):
        deliveries.append(poisoning.delivered(chance.choice([one for one in left if one]).pop(0)))
    at = 0
    while at < len(deliveries):
        size = chance.randint(1, 6)
        records = [record_of(one, at + n) for n, one in enumerate(deliveries[at : at + size])]
        if chance.random() < 0.2:
            feed.stores.read_model.failure = Unavailable("away")
            with pytest.raises(Unavailable):
                await feed.deliver_records(*records)
            feed.stores.read_model.failure = None
        await feed.deliver_records(*records)
        if chance.random() < 0.7:
            at += size


async def _shows_and_parks_all_of(feed: Feed, stream: Sequence[RecordedEvent], poisoning: Poisoning) -> None:
    """What the view does not show of a product is parked, from its poison on."""
    product_id = stream[0].product_id
    parked = [kept.record.stream_version for kept in feed.parked if kept.record.product_id == product_id]
    bad = poisoning.bad.get(product_id)
    if bad is None or (feed.stores.forgets and not parked):
        # A cache may have it from the log, where it is sound.
        assert await feed.shows(product_id) == feed.folded(stream)
        assert parked == []
        return
    sound = stream[: bad.stream_version - 1]
    assert await feed.shows(product_id) == (feed.folded(sound) if sound else None)
    assert parked == [one.stream_version for one in stream[len(sound) :]]
