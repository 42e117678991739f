"""Views that count: their sums are those of the log, in whatever order and by whomever they are added."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from projector.applying.batch import NOTHING
from projector.applying.ports import Change
from projector.applying.stream_fold import StreamFold
from projector.views.postgres.statements import LIVE, SHADOW
from shared.contract import events as e
from shared.contract.recorded_event import RecordedEvent
from tests.eventually import eventually
from tests.integration.lock_waits import lock_waits
from tests.integration.view_world import (
    ACTION,
    Feed,
    Log,
    View,
    fold_of,
    log,
    make_view,
    owner,
    parked,
    read_model,
    redis,
    retrying,
    table,
)
from tests.table_projections import TABLES
from tests.unit.projector.histories import (
    START,
    created,
    history,
    new_product_id,
    priced,
    random_history,
    variant,
)
from tests.unit.projector.records import broken

__all__ = ["log", "owner", "read_model", "redis"]
pytestmark = pytest.mark.servers
COUNTING = ("category_view", "inventory", "analytics")
DAY = START.date()


@pytest_asyncio.fixture
async def shadow(owner: Any) -> None:
    """The tables of all views once more, empty, as a rebuild makes them."""
    for name in TABLES:
        await owner.execute("SELECT views.make_shadow($1)", name)


def whole(view: View, events: Sequence[RecordedEvent]) -> Change[Any]:
    """One product's whole history as one change, as a rebuild has it."""
    stream = StreamFold(fold_of(view), NOTHING, Counter())
    stream.run((), events, {})
    change = stream.change()
    assert change is not None
    return change


async def rows(read_model: Any, schema: str, names: Sequence[str]) -> dict[str, list[Any]]:
    return {
        name: sorted(map(str, await read_model.fetch(f"SELECT * FROM {schema}.{name}"))) for name in names
    }


async def rebuild(name: str, read_model: Any, streams: Sequence[Sequence[RecordedEvent]]) -> None:
    """Loaded by two workers at the same time, each all of its products in one transaction, two at once."""
    tables = TABLES[name].make_tables(SHADOW)
    view = table(read_model, name=name)

    async def work(some: Sequence[Sequence[RecordedEvent]]) -> None:
        async with read_model.acquire() as connection, connection.transaction():
            for start in range(0, len(some), 2):
                changes = [whole(view, stream) for stream in some[start : start + 2]]
                await tables.load(connection, changes)

    await asyncio.gather(work(streams[::2]), work(streams[1::2]))


@pytest.mark.parametrize("name", TABLES)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), seed=st.integers(0, 2**32))
async def test_tables_kept_up_to_date_by_any_deliveries_equal_tables_loaded_from_the_log(
    name: str, read_model: Any, owner: Any, shadow: None, log: Log, redis: Redis, data: Any, seed: int
) -> None:
    tables = TABLES[name].make_tables().names
    for schema in (LIVE, SHADOW):
        await owner.execute(f"TRUNCATE {', '.join(f'{schema}.{one}' for one in tables)}")
    await owner.execute("TRUNCATE views.projection_checkpoint")
    histories = data.draw(st.lists(random_history(), min_size=1, max_size=5))
    chance = random.Random(seed)
    streams = [_in_few_places(history(new_product_id(), *happened), chance) for happened in histories]
    for stream in streams:
        await log.keep(stream)
    feed = Feed(make_view(name, read_model, redis), log, read_model=read_model)
    # In order most batches are ordinary ones.
    kept = _disturbed(streams, chance) if chance.random() < 0.7 else [one for some in streams for one in some]
    while kept:
        size = chance.randint(1, 5)
        await feed.deliver(*kept[:size])
        kept = kept[size:]
    await rebuild(name, read_model, streams)
    assert await rows(read_model, LIVE, tables) == await rows(read_model, SHADOW, tables)


def _disturbed(streams: Sequence[Sequence[RecordedEvent]], chance: random.Random) -> list[RecordedEvent]:
    """In any order, some twice, and some never: the log has them."""
    deliveries = [one for stream in streams for one in stream]
    deliveries += chance.choices(deliveries, k=len(deliveries) // 2)
    chance.shuffle(deliveries)
    newest = {stream[-1].metadata.event_id for stream in streams}
    return [one for one in deliveries if one.metadata.event_id in newest or chance.random() < 0.7]


def _in_few_places(events: Sequence[RecordedEvent], chance: random.Random) -> list[RecordedEvent]:
    """On few days, so that products share their sums."""
    days = [timedelta(days=chance.randint(0, 2)) for _ in events]
    return [
        msgspec.structs.replace(one, recorded_at=one.recorded_at + by)
        for one, by in zip(events, days, strict=True)
    ]


@pytest.mark.parametrize("name", COUNTING)
async def test_two_who_apply_the_same_events_at_the_same_time_add_them_once(
    name: str, read_model: Any, owner: Any, shadow: None, log: Log
) -> None:
    events = history(
        new_product_id(), created(category="a/b"), e.ProductPublished(),
        e.VariantAdded("S-2", {}, e.Money("1.00", "EUR")), priced("2.00", "S-2"),
        e.ProductDetailsChanged(category="a/c", brand="B"), e.VariantRemoved("S-2"),
    )  # fmt: skip
    await log.keep(events)
    first, second = table(read_model, name=name), table(read_model, name=name)
    for before, reached, further in ((0, 2, 4), (4, 5, 6)):
        # Both have looked at what is held before either writes: a batch, and a retry that catches up further.
        batch, catching_up = AsyncExitStack(), AsyncExitStack()
        one = await batch.enter_async_context(first.begin({}))
        other = await catching_up.enter_async_context(second.begin({}))
        change = await _change(one, events[before:reached], fold_of(first))
        same_and_more = await _change(other, events[before:further], fold_of(first))
        await one.save([change])
        late = asyncio.create_task(other.save([same_and_more]))
        await eventually(lambda: lock_waits(read_model, 1))
        await batch.aclose()
        await late
        await catching_up.aclose()
    await rebuild(name, read_model, [events])
    tables = first._tables.names
    assert await rows(read_model, LIVE, tables) == await rows(read_model, SHADOW, tables)


async def _change(writer: Any, events: Sequence[RecordedEvent], fold: Any) -> Change[Any]:
    product_id = events[0].product_id
    held = (await writer.held([product_id])).get(product_id, NOTHING)
    stream = StreamFold(fold, held, Counter())
    stream.run((), events, {})
    change = stream.change()
    assert change is not None
    return change


@pytest.mark.parametrize("name", COUNTING)
async def test_two_retries_of_one_product_count_it_once(
    name: str, read_model: Any, owner: Any, shadow: None, log: Log
) -> None:
    events = history(new_product_id(), created(), e.ProductDeleted())
    await log.keep(events)
    view = table(read_model, name=name)
    feed = Feed(view, log, read_model=read_model)
    await feed.deliver(broken(events[0]), events[1])
    assert len(await parked(read_model)) == 2
    results = await asyncio.gather(
        *(retrying(table(read_model, name=name), log).retry(events[0].product_id, ACTION, from_log=True)
          for _ in range(2))
    )  # fmt: skip
    assert sorted(result.released for result in results) == [0, 2]
    await feed.deliver(*events)
    await rebuild(name, read_model, [events])
    assert await rows(read_model, LIVE, view._tables.names) == await rows(
        read_model, SHADOW, view._tables.names
    )


MEETING = {
    "categories": ("category_view", lambda key: created(category=key), "category_view_category", "path"),
    "brands": (
        "category_view",
        lambda key: msgspec.structs.replace(created(category=None), brand=key),
        "category_view_brand",
        "brand",
    ),
    "stock-items": (
        "inventory",
        lambda key: msgspec.structs.replace(created(), variants=(variant(key),)),
        "stock_item",
        "sku",
    ),
    "days": ("analytics", lambda key: created(category=key), "analytics_change", "category"),
}
"""Where batches meet -> (view, a product that goes there, table, column of the key)."""


@pytest.mark.parametrize("where", MEETING)
async def test_batches_that_meet_at_the_same_rows_from_two_ends_do_not_lock_each_other_out(
    where: str, read_model: Any
) -> None:
    name, going_to, meeting_table, column = MEETING[where]
    keys = [f"key-{number:02}" for number in range(9)]

    async def save(some: Sequence[str]) -> None:
        view = table(read_model, name=name)
        streams = [history(new_product_id(), going_to(key)) for key in some]
        async with view.begin({}) as writer:
            await writer.save([whole(view, stream) for stream in streams])

    await save(keys)
    async with read_model.acquire() as blocking, blocking.transaction():
        # Without an order one would come up to the middle from each side, and each would want the other's.
        sql = f"SELECT FROM views.{meeting_table} WHERE {column} = $1 FOR UPDATE"
        await blocking.execute(sql, keys[4])
        batches = [asyncio.create_task(save(some)) for some in (keys, keys[::-1])]
        await eventually(lambda: lock_waits(read_model, 2))
    await asyncio.gather(*batches)


@pytest.mark.parametrize("where", MEETING)
async def test_workers_that_load_what_they_share_from_two_ends_do_not_lock_each_other_out(
    where: str, read_model: Any, shadow: None
) -> None:
    name, going_to, _, _ = MEETING[where]
    tables, view = TABLES[name].make_tables(SHADOW), table(read_model, name=name)

    async def load(connection: Any, key: str) -> None:
        await tables.load(connection, [whole(view, history(new_product_id(), going_to(key)))])

    async def load_from_the_other_end() -> None:
        async with read_model.acquire() as connection, connection.transaction():
            await load(connection, "last")
            await load(connection, "first")

    async with read_model.acquire() as connection, connection.transaction():
        await load(connection, "first")
        other = asyncio.create_task(load_from_the_other_end())
        await eventually(lambda: lock_waits(read_model, 1))
        await load(connection, "last")
    await other


BROKEN = {
    "category_view": ("product-price-changed", "product-published"),
    "inventory": ("product-price-changed", "product-variant-added"),
}
"""View -> (a type that it does not use, one that it uses)."""


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_body_counts_only_for_a_view_that_uses_its_type(
    name: str, read_model: Any, log: Log
) -> None:
    added = e.VariantAdded("S-2", {}, e.Money("1.00", "EUR"))
    events = history(new_product_id(), created(), priced("2.00"), e.ProductPublished(), added)
    unused, used = BROKEN[name]
    feed = Feed(table(read_model, name=name), log, read_model=read_model)
    spoilt = [broken(one) if one.event_type == unused else one for one in events]
    applied = await feed.deliver(*spoilt)
    assert applied.tally[unused, "skipped"] == 1
    assert await parked(read_model) == []
    assert await feed.shows(events[0].product_id) == feed.folded(events)
    other = history(new_product_id(), created(), priced("2.00"), e.ProductPublished(), added)
    spoilt = [broken(one) if one.event_type == used else one for one in other]
    await feed.deliver(*spoilt)
    assert (await parked(read_model))[0]["event_type"] == used
    at = next(number for number, one in enumerate(other) if one.event_type == used)
    assert await feed.shows(other[0].product_id) == feed.folded(other[:at])


async def categories(read_model: Any) -> dict[str, tuple[Any, ...]]:
    found = await read_model.fetch("SELECT * FROM views.category_view_category")
    return {row["path"]: tuple(row)[1:] for row in found}


async def brands(read_model: Any) -> dict[str, tuple[Any, ...]]:
    found = await read_model.fetch("SELECT * FROM views.category_view_brand")
    return {row["brand"]: tuple(row)[1:] for row in found}


async def test_a_product_is_counted_where_it_is_and_in_all_categories_above_it(
    read_model: Any, log: Log
) -> None:
    feed = Feed(table(read_model, name="category_view"), log, read_model=read_model)
    shirt = history(
        new_product_id(), created(category="apparel/men/shirts"), e.ProductPublished(),
        e.ProductDetailsChanged(category="apparel/men", brand="Ocean"), e.ProductArchived(),
        e.ProductDeleted(),
    )  # fmt: skip
    await feed.deliver(*history(new_product_id(), created(category="apparel")), shirt[0])
    assert await categories(read_model) == {
        "apparel": (1, 1, 0, 0, 2, 0, 0),
        "apparel/men": (2, 0, 0, 0, 1, 0, 0),
        "apparel/men/shirts": (3, 1, 0, 0, 1, 0, 0),
    }
    await feed.deliver(*shirt[1:3])
    assert await categories(read_model) == {
        "apparel": (1, 1, 0, 0, 1, 1, 0),
        "apparel/men": (2, 0, 1, 0, 0, 1, 0),
    }
    assert await brands(read_model) == {"Ocean": (0, 1, 0)}
    await feed.deliver(shirt[3])
    assert (await categories(read_model))["apparel/men"] == (2, 0, 0, 1, 0, 0, 1)
    assert await brands(read_model) == {"Ocean": (0, 0, 1)}
    await feed.deliver(shirt[4])
    assert await categories(read_model) == {"apparel": (1, 1, 0, 0, 1, 0, 0)}
    assert await brands(read_model) == {}


async def item(read_model: Any, sku: str = "S-1") -> tuple[Any, ...]:
    sql = "SELECT product_id, state, opened_at, closed_at, log_position FROM views.stock_item WHERE sku = $1"
    return tuple(await read_model.fetchrow(sql, sku))


@pytest.mark.parametrize("order", ["as-it-happened", "claim-first", "claim-in-between", "at-once"])
async def test_a_sku_that_moves_to_another_product_belongs_to_the_later_claim_whichever_comes_first(
    read_model: Any, log: Log, order: str
) -> None:
    releasing = history(new_product_id(), created(), e.ProductDeleted(), first_position=10)
    claiming = history(new_product_id(), created(), first_position=12)
    feed = Feed(table(read_model, name="inventory"), log, read_model=read_model)
    for batch in {
        "as-it-happened": [releasing[:1], releasing[1:], claiming],
        "claim-first": [claiming, releasing[:1], releasing[1:]],
        "claim-in-between": [releasing[:1], claiming, releasing[1:]],
        "at-once": [[*claiming, *releasing]],
    }[order]:
        await feed.deliver(*batch)
    claim = claiming[0]
    assert await item(read_model) == (claim.product_id, "open", claim.recorded_at, None, 12)


async def test_an_item_is_closed_when_its_sku_goes_and_opened_anew_when_it_comes_back(
    read_model: Any, log: Log
) -> None:
    added = e.VariantAdded("S-2", {}, e.Money("1.00", "EUR"))
    events = history(new_product_id(), created(), added, e.VariantRemoved("S-2"), added, e.ProductDeleted())
    feed = Feed(table(read_model, name="inventory"), log, read_model=read_model)
    at = [one.recorded_at for one in events]
    states = []
    for one in events[1:]:
        await feed.deliver(one) if one is not events[1] else await feed.deliver(*events[:2])
        states.append((await item(read_model, "S-2"))[1:4])
    assert states == [
        ("open", at[1], None), ("closed", at[1], at[2]), ("open", at[3], None), ("closed", at[3], at[4]),
    ]  # fmt: skip
    assert (await item(read_model))[1:4] == ("closed", at[0], at[4])


async def test_a_claim_is_not_undone_by_a_release_that_was_parked_and_is_retried_after_it(
    read_model: Any, log: Log
) -> None:
    releasing = history(new_product_id(), created(), e.ProductDeleted(), first_position=10)
    claiming = history(new_product_id(), created(), first_position=12)
    await log.keep([*releasing, *claiming])
    view = table(read_model, name="inventory")
    feed = Feed(view, log, read_model=read_model)
    await feed.deliver(releasing[0], broken(releasing[1]), *claiming)
    await retrying(view, log).retry(releasing[0].product_id, ACTION, from_log=True)
    assert (await item(read_model))[:2] == (claiming[0].product_id, "open")


async def test_changes_are_counted_on_their_day_where_the_product_was_then(read_model: Any, log: Log) -> None:
    feed = Feed(table(read_model, name="analytics"), log, read_model=read_model)
    moved = e.ProductDetailsChanged(category="home", brand="Ocean")
    events = history(
        new_product_id(), created(category="apparel"), e.ProductPublished(), moved, e.ProductDeleted()
    )
    events[3] = msgspec.structs.replace(events[3], recorded_at=START + timedelta(days=1))
    await feed.deliver(*events[:2])
    await feed.deliver(*events)
    await feed.deliver(*history(new_product_id(), created(category="apparel")))
    found = await read_model.fetch(
        "SELECT day, category, brand, products_created, products_published, details_changed, products_deleted"
        " FROM views.analytics_change ORDER BY day, category"
    )
    assert [tuple(row) for row in found] == [
        (DAY, "apparel", None, 2, 1, 0, 0), (DAY, "home", "Ocean", 0, 0, 1, 0),
        (DAY + timedelta(days=1), "home", "Ocean", 0, 0, 0, 1),
    ]  # fmt: skip


async def test_moves_of_prices_add_up_by_currency(read_model: Any, log: Log) -> None:
    feed = Feed(table(read_model, name="analytics"), log, read_model=read_model)
    events = history(
        new_product_id(), created(),
        e.PriceChanged("S-1", e.Money("20.00", "EUR"), e.Money("10.00", "EUR")),
        e.PriceChanged("S-1", e.Money("10.00", "EUR"), e.Money("20.00", "EUR")),
        e.PriceChanged("S-1", e.Money("0.00", "EUR"), e.Money("10.00", "EUR")),
        e.PriceChanged("S-1", e.Money("9.00", "USD"), e.Money("0.00", "EUR")),
        e.VariantChanged("S-1", {"size": "M"}, e.Money("18.00", "USD")),
    )  # fmt: skip
    for one in events:
        await feed.deliver(one)
    found = await read_model.fetch(
        "SELECT currency, price_changes, price_increases, price_decreases, compared, log_ratio_sum"
        " FROM views.analytics_price ORDER BY currency"
    )
    assert [tuple(row) for row in found] == [
        ("EUR", 3, 1, 2, 2, Decimal(0)), ("USD", 2, 1, 0, 1, Decimal("0.693147180560")),
    ]  # fmt: skip
    counts = await read_model.fetchrow(
        "SELECT price_changes, price_increases, price_decreases, variants_changed FROM views.analytics_change"
    )
    assert tuple(counts) == (5, 2, 2, 1)


async def test_names_longer_than_an_index_entry_may_be_are_counted(read_model: Any, log: Log) -> None:
    chance = random.Random(1)
    category, brand = ("".join(chr(chance.randint(0x10000, 0x1FFFF)) for _ in range(n)) for n in (512, 255))
    events = history(
        new_product_id(),
        created(category=category),
        e.ProductDetailsChanged(brand=brand),
        e.ProductPublished(),
    )
    for name in COUNTING:
        feed = Feed(table(read_model, name=name), log, read_model=read_model)
        await read_model.execute("DELETE FROM views.projection_checkpoint")
        await feed.deliver(*events)
    assert await parked(read_model) == []
