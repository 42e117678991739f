"""What can never be applied is parked with its product, in order, and costs nobody else anything."""

from typing import Any

import pytest

from projector.applying.ports import Checkpoint
from shared.contract import events as e
from tests.integration.view_world import (
    Feed,
    Log,
    View,
    log,
    owner,
    parked,
    read_model,
    redis,
    table,
    view_of_every_type,
)
from tests.unit.projector.histories import created, history, new_product_id, priced
from tests.unit.projector.records import LOG_ID, broken, record_of

view = view_of_every_type
__all__ = ["log", "owner", "read_model", "redis"]
pytestmark = pytest.mark.servers


async def test_an_event_that_can_never_be_applied_parks_with_every_later_event_of_its_product(
    view: View, log: Log, read_model: Any
) -> None:
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"), e.ProductPublished())
    events[1] = broken(events[1])
    before, behind = history(new_product_id(), created()), history(new_product_id(), created())
    feed = Feed(view, log, read_model=read_model)
    await feed.deliver(events[0], *before, events[1], events[2], *behind)
    await feed.deliver(events[3])
    assert await feed.shows(events[0].product_id) == feed.folded(events[:1])
    assert await feed.shows(before[0].product_id) == feed.folded(before)
    assert await feed.shows(behind[0].product_id) == feed.folded(behind)
    rows = await parked(read_model)
    assert [row["stream_version"] for row in rows] == [2, 3, 4]
    assert [row["error_class"] for row in rows] == ["undecodable", "follower", "follower"]
    product = await read_model.fetchrow("SELECT * FROM views.parked_product")
    assert (product["product_id"], product["events"]) == (events[0].product_id, 3)
    assert product["error_class"] == "undecodable"


async def test_a_record_that_cannot_be_read_parks_alone_and_the_log_tells_what_it_was(
    view: View, log: Log, read_model: Any
) -> None:
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"))
    await log.keep(events)
    headers = {**dict(record_of(events[1], 1).headers), "ce_correlationid": "Äpfel".encode("latin-1")}
    spoilt = record_of(events[1], 1, headers=tuple(headers.items()))
    feed = Feed(view, log, read_model=read_model)
    await feed.deliver_records(record_of(events[0], 0), spoilt)
    # Its key says whose it was: what the log has of that product is there at once.
    assert await feed.shows(events[0].product_id) == feed.folded(events)
    feed.offset = 2
    await feed.deliver(events[2])
    assert await feed.shows(events[0].product_id) == feed.folded(events)
    assert [row["error_class"] for row in await parked(read_model)] == ["unreadable-record"]
    assert await read_model.fetchval("SELECT count(*) FROM views.parked_product") == 0


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
    assert await view.checkpoints([0]) == {0: Checkpoint(1, 1, LOG_ID)}
    assert await parked(read_model) == []
    await owner.execute("ALTER TABLE views.parked_event DROP CONSTRAINT full_up")
    feed.offset = 0
    await feed.deliver(events[0], broken(events[1]))
    assert await view.checkpoints([0]) == {0: Checkpoint(2, 2, LOG_ID)}
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
    assert (await view.checkpoints([0]))[0].next_offset == 9


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
