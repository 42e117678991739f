"""Snapshots of long streams: who makes them, and that the past is then read with bounded work."""

import asyncpg
import pytest

from projector.applying.ports import Change
from projector.views.product_view.postgres import ProductViewTables
from shared.contract.codec import decode_event
from shared.contract.product_fold import apply_event
from shared.contract.recorded_event import RecordedEvent
from shared.contract.snapshots import FOLD
from shared.contract.views import ProductDocument, decode_document, encode_document
from tests.integration.history_world import append, past_world
from tests.integration.projector_commands import command, command_json
from tests.integration.projector_world import World, world
from tests.past_events import created, past_events, priced
from tests.servers import DatabaseDsns

__all__ = ["world"]
pytestmark = pytest.mark.servers
VERSIONS = 2600
EVENTS_MAX = 1000


def long_stream() -> list[RecordedEvent]:
    return past_events(created(), *[priced(f"{number}.00") for number in range(2, VERSIONS + 1)])


def documents(events: list[RecordedEvent]) -> list[ProductDocument | None]:
    """The document after each event; the first is that of no event."""
    found: list[ProductDocument | None] = [None]
    for one in events:
        decoded = decode_event(one.event_type, one.schema_version, one.data)
        found.append(apply_event(found[-1], decoded, one))
    return found


def change(events: list[RecordedEvent], before: int, after: int) -> Change[ProductDocument]:
    """What a batch makes of a product that was at one version and is at another."""
    found = documents(events)
    old, new = found[before], found[after]
    assert new is not None
    return Change(new.id, after, events[after - 1].log_position, old, new, new)


async def test_the_view_keeps_a_snapshot_at_the_first_chance_after_so_many_versions(
    read_model_dsns: DatabaseDsns,
) -> None:
    events = long_stream()
    batches = [(0, 10), (10, 499), (499, 700), (700, 999), (999, 1000), (1000, 2100)]
    async with asyncpg.create_pool(read_model_dsns.projector) as pool, pool.acquire() as connection:
        for before, after in batches:
            await ProductViewTables().save(connection, [change(events, before, after)])
        rows = await connection.fetch("SELECT * FROM views.product_snapshot ORDER BY stream_version")
    assert [(row["stream_version"], row["log_position"]) for row in rows] == [
        (version, events[version - 1].log_position) for version in (700, 1000, 2100)
    ]
    assert {row["fold"] for row in rows} == {FOLD}
    found = [decode_document(row["document"]) for row in rows]
    assert found == [documents(events)[version] for version in (700, 1000, 2100)]


async def test_a_rebuild_keeps_one_of_the_newest_version(read_model_dsns: DatabaseDsns) -> None:
    events = long_stream()
    async with asyncpg.create_pool(read_model_dsns.projector) as pool, pool.acquire() as connection:
        await ProductViewTables().load(connection, [change(events, 0, VERSIONS)])
        rows = await connection.fetch("SELECT stream_version FROM views.product_snapshot")
    assert [row["stream_version"] for row in rows] == [VERSIONS]


async def test_a_stream_that_was_long_before_gets_its_snapshots_by_the_command(
    world: World, read_model_dsns: DatabaseDsns, event_store_dsns: DatabaseDsns, redis_url: str
) -> None:
    events, other = long_stream(), "of another fold"
    found = documents(events)
    stores = read_model_dsns, event_store_dsns, redis_url
    async with past_world(*stores, history_events_max=EVENTS_MAX) as past:
        product_id = await past.append(events)
        await world.views.execute(
            "INSERT INTO views.product_snapshot VALUES ($1, $2, 500, 1, '')", product_id, other
        )
        assert (await past.get(product_id, version=EVENTS_MAX)).status_code == 200
        for what, parameters in (
            ("", {"version": VERSIONS}), ("", {"as_of": "2032-01-01T00:00:00Z"}), ("/history", {}),
            ("/price-history", {}), ("/diff", {"from": 1}),
        ):  # fmt: skip
            answer = await past.get(product_id, what, **parameters)
            assert (answer.status_code, answer.json()["code"]) == (503, "history-too-long")
        said = await command(world, "snapshots")
        assert "1 products with long streams; 5 snapshots made" in said
        for version in (1, 499, 500, 501, 1999, 2000, VERSIONS):
            answer = await past.get(product_id, version=version)
            document = found[version]
            assert document is not None
            assert answer.content == encode_document(document)
        assert (await past.get(product_id, as_of="2032-01-01T00:00:00Z")).status_code == 200
        assert (await past.get(product_id, "/diff", **{"from": 1})).status_code == 200
        page = (await past.get(product_id, "/history", limit=200)).json()
        assert [item["version"] for item in page["items"]] == list(range(VERSIONS, VERSIONS - 200, -1))
        assert await command_json(world, "snapshots") == {"products": 1, "snapshots": 0, "unreadable": []}
        folds = await world.views.fetch("SELECT DISTINCT fold FROM views.product_snapshot")
        assert [row["fold"] for row in folds] == [FOLD]


async def test_a_product_that_does_not_fold_is_told_and_the_others_get_theirs(
    world: World,
) -> None:
    good = past_events(created(), *[priced("9.00")] * 1999)
    usual = [priced("9.00")] * 700
    bad = past_events(created(), *usual, priced("9.00", "no such SKU"), *usual, *usual)
    for events in (good, bad):
        await append(world.store, events)
    said = await command(world, "snapshots", code=3)
    assert f"cannot be read: {bad[0].product_id}" in said
    assert "2 products with long streams; 4 snapshots made" in said
