"""What can never be applied is parked with its product, in order, and costs nobody else anything."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from projector.applying.parking_breaker import ParkingBreaker
from projector.applying.ports import Checkpoint
from projector.errors import LogDiffers, ParkingIsFull
from projector.parking.postgres.parking import ParkingLimits
from projector.views.postgres.view import PostgresView
from shared.contract import events as e
from shared.contract.recorded_event import RecordedEvent
from tests.integration.test_projector_views import (
    LOG_ID,
    Feed,
    Log,
    View,
    cache,
    log,
    read_model,
    record_of,
    redis,
    table,
    view_of_every_type,
)
from tests.servers import DatabaseDsns
from tests.unit.projector.histories import created, history, new_product_id, priced

view = view_of_every_type
__all__ = ["log", "read_model", "redis"]
pytestmark = pytest.mark.servers


@pytest_asyncio.fixture
async def owner(read_model_dsns: DatabaseDsns) -> AsyncIterator[Any]:
    """May change tables, which the projector may not."""
    connection = await asyncpg.connect(read_model_dsns.owner)
    yield connection
    await connection.close()


async def parked(read_model: Any) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await read_model.fetch(
        "SELECT * FROM views.parked_event ORDER BY parked_event_id"
    )
    return rows


def broken(event: RecordedEvent, **changed: Any) -> RecordedEvent:
    return msgspec.structs.replace(event, **(changed or {"data": b"{"}))


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
    view: View, log: Log, read_model: Any, changed: dict[str, Any], error_class: str
) -> None:
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"), e.ProductPublished())
    events[1] = broken(events[1], **changed)
    before, behind = history(new_product_id(), created()), history(new_product_id(), created())
    feed = Feed(view, log, read_model=read_model)
    await feed.deliver(events[0], *before, events[1], events[2], *behind)
    await feed.deliver(events[3])
    assert await feed.shows(events[0].product_id) == feed.folded(events[:1])
    assert await feed.shows(before[0].product_id) == feed.folded(before)
    assert await feed.shows(behind[0].product_id) == feed.folded(behind)
    rows = await parked(read_model)
    assert [row["stream_version"] for row in rows] == [2, 3, 4]
    assert [row["error_class"] for row in rows] == [error_class, "follower", "follower"]
    product = await read_model.fetchrow("SELECT * FROM views.parked_product")
    assert (product["product_id"], product["events"]) == (events[0].product_id, 3)
    assert product["error_class"] == error_class


async def test_a_parked_record_keeps_every_byte_and_every_header(
    view: View, log: Log, read_model: Any
) -> None:
    event = history(new_product_id(), created())[0]
    headers = (("ce_type", None), ("x", b"\xff\0'"), ("x", b""), ("ce_id", b"twice"), ("", b"nameless"))
    value = b"\0\xff{ not json"
    feed = Feed(view, log, read_model=read_model)
    await feed.deliver_records(record_of(event, 7, value=value, headers=headers, timestamp=1_234))
    (row,) = await parked(read_model)
    assert (row["topic"], row["partition"], row["record_offset"], row["record_timestamp"]) == (
        "t",
        0,
        7,
        1_234,
    )
    assert (row["key"], row["value"]) == (str(event.product_id).encode(), value)
    assert tuple(zip(row["header_names"], row["header_values"], strict=True)) == headers
    assert row["error_class"] == "unreadable-record"
    assert row["product_id"] is None


@pytest.mark.parametrize(
    "poison", ["none-header", "latin-1", "no-headers", "tombstone", "wrong-key", "no-key", "huge"]
)
async def test_a_record_that_cannot_be_read_parks_alone_and_the_log_tells_what_it_was(
    view: View, log: Log, read_model: Any, poison: str
) -> None:
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"))
    await log.keep(events)
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
    feed = Feed(view, log, read_model=read_model)
    await feed.deliver_records(record_of(events[0], 0), record_of(events[1], 1, **changed))
    if poison not in ("wrong-key", "no-key"):
        # Its key says whose it was: what the log has of that product is there at once.
        assert await feed.shows(events[0].product_id) == feed.folded(events)
    feed.offset = 2
    await feed.deliver(events[2])
    assert await feed.shows(events[0].product_id) == feed.folded(events)
    assert [row["error_class"] for row in await parked(read_model)] == ["unreadable-record"]
    assert await read_model.fetchval("SELECT count(*) FROM views.parked_product") == 0


async def test_a_duplicate_that_cannot_be_decoded_is_dropped_like_any_other(
    view: View, log: Log, read_model: Any
) -> None:
    events = history(new_product_id(), created(), priced("2.00"))
    feed = Feed(view, log, read_model=read_model)
    await feed.deliver(*events)
    applied = await feed.deliver(broken(events[0]), broken(events[1], schema_version=99))
    assert applied.tally == {("product-created", "duplicate"): 1, ("product-price-changed", "duplicate"): 1}
    assert await parked(read_model) == []


async def test_delivered_again_a_parked_event_is_parked_once_and_its_product_goes_no_further(
    view: View, log: Log, read_model: Any
) -> None:
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"))
    bad = broken(events[1])
    first = Feed(view, log, read_model=read_model)
    await first.deliver(events[0], bad, events[2])
    # As after a crash before the offsets were committed, by an instance that knows nothing yet.
    second = Feed(view, log, read_model=read_model)
    await second.projection.load([0])
    await second.deliver_records(record_of(bad, 1), record_of(events[2], 2), record_of(events[2], 3))
    assert [(row["record_offset"], row["error_class"]) for row in await parked(read_model)] == [
        (1, "undecodable"), (2, "follower"), (3, "follower"),
    ]  # fmt: skip
    assert await second.shows(events[0].product_id) == second.folded(events[:1])


async def test_an_instance_that_takes_over_knows_what_is_parked(
    view: View, log: Log, read_model: Any
) -> None:
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"))
    await log.keep(events)
    await Feed(view, log, read_model=read_model).deliver(events[0], broken(events[1]))
    successor = Feed(view, log, read_model=read_model)
    await successor.projection.load([0])
    successor.offset = 2
    await successor.deliver(events[2])
    # Although the log could have filled the gap: parked is parked, until an operator says otherwise.
    assert await successor.shows(events[0].product_id) == successor.folded(events[:1])
    assert [row["error_class"] for row in await parked(read_model)] == ["undecodable", "follower"]


async def test_a_product_that_was_drained_meanwhile_goes_on(view: View, log: Log, read_model: Any) -> None:
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"))
    await log.keep(events)
    feed = Feed(view, log, read_model=read_model)
    await feed.deliver(events[0], broken(events[1]))
    await read_model.execute("DELETE FROM views.parked_event")
    await read_model.execute("DELETE FROM views.parked_product")
    await feed.deliver(events[2])
    assert await feed.shows(events[0].product_id) == feed.folded(events)
    assert await parked(read_model) == []


async def test_a_checkpoint_never_passes_what_could_not_be_parked(
    log: Log, read_model: Any, owner: Any
) -> None:
    events = history(new_product_id(), created(), priced("2.00"), first_position=1)
    view = table(read_model)
    feed = Feed(view, log, read_model=read_model)
    await owner.execute("ALTER TABLE views.parked_event ADD CONSTRAINT full_up CHECK (false) NOT VALID")
    with pytest.raises(Exception, match="full_up"):
        await feed.deliver(events[0], broken(events[1]))
    # What came before is applied; where there is no way to park, there is no way past.
    assert await view.load([0]) == {0: Checkpoint(1, 1, LOG_ID)}
    assert await parked(read_model) == []
    await owner.execute("ALTER TABLE views.parked_event DROP CONSTRAINT full_up")
    feed.offset = 0
    await feed.deliver(events[0], broken(events[1]))
    assert await view.load([0]) == {0: Checkpoint(2, 2, LOG_ID)}
    assert len(await parked(read_model)) == 1


async def test_a_value_that_postgresql_refuses_parks_its_product_alone(log: Log, read_model: Any) -> None:
    view = table(read_model)
    good = [history(new_product_id(), created(), first_position=number)[0] for number in range(1, 8)]
    bad = history(new_product_id(), created(name="nul\0"), priced("2.00"))
    feed = Feed(view, log, read_model=read_model)
    await feed.deliver(*good[:5], *bad, *good[5:])
    for one in good:
        assert await feed.shows(one.product_id) == feed.folded([one])
    assert await feed.shows(bad[0].product_id) is None
    assert [row["error_class"] for row in await parked(read_model)] == ["refused-by-store", "follower"]
    assert (await view.load([0]))[0].next_offset == 9


async def test_a_constraint_parks_the_event_that_violates_it_and_not_the_ones_before(
    log: Log, read_model: Any, owner: Any
) -> None:
    feed = Feed(table(read_model), log, read_model=read_model)
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"), priced("4.00"))
    others = [history(new_product_id(), created(), priced("2.00")) for _ in range(3)]
    await owner.execute(
        "ALTER TABLE views.product_view_variant ADD CONSTRAINT odd CHECK (amount < 3 OR amount > 9) NOT VALID"
    )
    await feed.deliver(*others[0], *events, *others[1], *others[2])
    assert await feed.shows(events[0].product_id) == feed.folded(events[:2])
    for other in others:
        assert await feed.shows(other[0].product_id) == feed.folded(other)
    assert [row["stream_version"] for row in await parked(read_model)] == [3, 4]


class Odd(Exception):
    """An error that nobody has foreseen."""


async def test_an_unknown_error_is_isolated_and_its_event_parked(
    view: View, log: Log, read_model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"))
    others = [history(new_product_id(), created())[0] for _ in range(4)]
    feed = Feed(view, log, read_model=read_model)
    fold = feed.projection._fold

    def fragile(state: Any, event: Any, recorded: RecordedEvent) -> Any:
        if recorded.metadata.event_id == events[1].metadata.event_id:
            raise Odd("boom")
        return fold.apply(state, event, recorded)

    monkeypatch.setattr(feed.projection, "_fold", fold._replace(apply=fragile))
    batch = (*others[:2], *events, *others[2:])
    with pytest.raises(Odd):
        await feed.deliver(*batch)
    assert await parked(read_model) == []
    await feed.deliver(*batch, isolate=True)
    for one in others:
        assert await feed.shows(one.product_id) == feed.folded([one])
    assert await feed.shows(events[0].product_id) == feed.folded(events[:1])
    rows = await parked(read_model)
    assert [(row["error_class"], row["stream_version"]) for row in rows] == [("unknown", 2), ("follower", 3)]
    assert rows[0]["cause"] == "Odd: boom"


async def test_when_many_products_fail_the_breaker_opens_before_they_are_parked(
    view: View, log: Log, read_model: Any
) -> None:
    now = [0.0]
    breaker = ParkingBreaker(products_max=2, window_seconds=60, clock=lambda: now[0])
    feed = Feed(view, log, read_model=read_model, breaker=breaker)
    bad = [broken(history(new_product_id(), created(), first_position=at)[0]) for at in (1, 11, 12, 13)]
    await feed.deliver(bad[0])
    with pytest.raises(ParkingIsFull):
        await feed.deliver(*bad[1:])
    assert breaker.is_open
    # It stays open although a single one would fit into the window, and time alone does not close it.
    now[0] = 1000.0
    with pytest.raises(ParkingIsFull):
        await feed.deliver(bad[1])
    assert len(await parked(read_model)) == 1
    feed.offset = 1
    await feed.deliver(history(new_product_id(), created(), first_position=2)[0])
    assert not breaker.is_open
    await feed.deliver(bad[1])
    assert len(await parked(read_model)) == 2


@pytest.mark.parametrize("kind", ["table", "cache"])
async def test_a_bound_on_what_is_parked_holds_the_projection_and_loses_nothing(
    log: Log, read_model: Any, redis: Redis, kind: str
) -> None:
    limits = ParkingLimits(products_max=1, events_per_product_max=2)
    limited = table(read_model, limits) if kind == "table" else cache(redis, read_model, limits)
    feed = Feed(limited, log, read_model=read_model)
    events = history(new_product_id(), created(), priced("1.00"), priced("2.00"), priced("3.00"))
    await feed.deliver(events[0], broken(events[1]), events[2])
    with pytest.raises(ParkingIsFull, match="events"):
        await feed.deliver(events[3])
    with pytest.raises(ParkingIsFull, match="products"):
        await feed.deliver(broken(history(new_product_id(), created())[0]))
    assert len(await parked(read_model)) == 2


async def test_a_bound_on_single_records_holds_the_projection_too(log: Log, read_model: Any) -> None:
    limited = table(read_model, ParkingLimits(products_max=1, events_per_product_max=2))
    feed = Feed(limited, log, read_model=read_model)
    event = history(new_product_id(), created())[0]
    await feed.deliver_records(record_of(event, 0, headers=()))
    with pytest.raises(ParkingIsFull, match="single records"):
        await feed.deliver_records(record_of(event, 1, headers=()))
    assert len(await parked(read_model)) == 1


async def test_an_event_of_another_log_is_never_parked(view: View, log: Log, read_model: Any) -> None:
    event = history(new_product_id(), created())[0]
    headers = tuple({**dict(record_of(event, 0).headers), "ce_logid": str(UUID(int=9)).encode()}.items())
    feed = Feed(view, log, read_model=read_model)
    with pytest.raises(LogDiffers, match=str(UUID(int=9))):
        await feed.deliver_records(record_of(event, 0, headers=headers))
    await read_model.execute(
        "INSERT INTO views.park_order (projection, topic, partition, record_offset, reason) "
        "VALUES ('a_view', 't', 0, 0, 'a stray')"
    )
    await feed.projection.load([0])
    await feed.deliver_records(record_of(event, 0, headers=headers))
    assert [(row["error_class"], row["cause"]) for row in await parked(read_model)] == [
        ("ordered", "told to park: a stray")
    ]


async def test_a_record_behind_a_hole_that_was_ordered_to_be_parked_lets_its_partition_go_on(
    view: View, log: Log, read_model: Any
) -> None:
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"))
    behind = history(new_product_id(), created())
    await log.keep([events[0], events[2], *behind])
    feed = Feed(view, log, read_model=read_model)
    applied = await feed.deliver(events[0], events[2], *behind)
    assert applied.stopped[0][0] == 1
    await read_model.execute(
        "INSERT INTO views.park_order (projection, topic, partition, record_offset, reason) "
        "VALUES ('a_view', 't', 0, 1, 'forged')"
    )
    await feed.projection.load([0])
    applied = await feed.deliver_records(record_of(events[2], 1), record_of(behind[0], 2))
    assert not applied.stopped
    assert await feed.shows(behind[0].product_id) == feed.folded(behind)
    assert isinstance(view, PostgresView) or await feed.shows(events[0].product_id) == feed.folded(events[:1])
