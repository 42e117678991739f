"""A view is made anew beside the one that serves: equal, in one step, while writes go on, never by half."""

import asyncio
from typing import Any

import asyncpg
import msgspec
import pytest

from shared.contract.views import encode_document
from tests.eventually import eventually
from tests.integration.projector_commands import command, command_json, poison, start
from tests.integration.projector_world import World, world
from tests.integration.rebuild_world import Writer, parked_products, some_products, writer
from tests.unit.projector.histories import created, history, new_product_id, priced
from tests.unit.projector.records import folded

__all__ = ["world", "writer"]
pytestmark = pytest.mark.servers
VIEW = "product_view"


async def contents(world: World, schema: str = "views") -> dict[str, list[Any]]:
    return {
        table: await world.views.fetch(f"SELECT t::text FROM {schema}.{table} t ORDER BY 1")
        for table in ("product_view", "product_view_variant")
    }


async def indexes(world: World, schema: str) -> list[str]:
    rows = await world.views.fetch(
        "SELECT replace(indexdef, $1 || '.', '') AS made FROM pg_indexes"
        " WHERE schemaname = $1 AND tablename LIKE 'product_view%' ORDER BY 1",
        schema,
    )
    return [row["made"] for row in rows]


async def table_options(world: World) -> list[Any]:
    rows = await world.views.fetch(
        "SELECT relname, reloptions, ARRAY(SELECT g::text FROM unnest(relacl) g ORDER BY 1) FROM pg_class"
        " WHERE relname LIKE 'product_view%' AND relkind = 'r' AND relnamespace = 'views'::regnamespace"
        " ORDER BY 1"
    )
    return [tuple(row) for row in rows]


async def test_a_rebuilt_view_is_equal_in_rows_indexes_and_rights_and_serves_from_then_on(
    world: World, writer: Writer
) -> None:
    async with world.projecting(VIEW):
        await some_products(writer)
        await eventually(writer.all_shown)
        before, indexed = await contents(world), await indexes(world, "views")
        rights = await table_options(world)
        oid = await world.views.fetchval("SELECT 'views.product_view'::regclass::oid")
        result = await command_json(world, "rebuild", VIEW, "--workers", "2")
        assert result["switched"] is result["equal"] is True
        assert result["rows"] == sum(map(len, before.values()))
        assert await world.views.fetchval("SELECT 'views.product_view'::regclass::oid") != oid
        assert await contents(world) == before == await contents(world, "views_previous")
        assert await indexes(world, "views") == indexed
        assert await table_options(world) == rights
        more = await writer.happen(created(slug="new"), priced("9.00"))
        await eventually(lambda: world.table_shows(more[0].product_id, 2))
        await world.ready()


async def test_while_it_is_rebuilt_writes_go_on_and_readers_never_see_less(
    world: World, writer: Writer
) -> None:
    async with world.projecting(VIEW):
        await some_products(writer)
        await eventually(writer.all_shown)
        done = asyncio.Event()
        seen: dict[Any, int] = {}

        async def write() -> None:
            while not done.is_set():
                await writer.happen(created(slug=f"s-{writer.position}"), priced("3.00"))

        async def read() -> int:
            reads = 0
            while not done.is_set():
                rows = await world.views.fetch("SELECT product_id, stream_version FROM views.product_view")
                now = {row["product_id"]: row["stream_version"] for row in rows}
                assert all(now.get(one, 0) >= version for one, version in seen.items())
                seen.update(now)
                reads += 1
            return reads

        writing, reading = asyncio.create_task(write()), asyncio.create_task(read())
        result = await command_json(world, "rebuild", VIEW, "--workers", "1")
        assert result["equal"] is True
        done.set()
        await writing
        assert await reading > 10
        await eventually(writer.all_shown)
    assert await fold_of_all(world, writer) == []


async def fold_of_all(world: World, writer: Writer) -> list[str]:
    """Rows that are not what the streams fold to."""
    wrong = []
    for stream in writer.streams:
        version, document = folded(stream)
        row = await world.row(stream[0].product_id)
        if row is None or row["stream_version"] != version:
            wrong.append(f"{stream[0].product_id}: {row}")
        elif document is not None and row["document"] != encode_document(document):
            wrong.append(f"{stream[0].product_id}: another document")
    return wrong


async def test_a_live_view_that_is_wrong_is_shown_and_replaced_only_when_that_is_wanted(
    world: World, writer: Writer
) -> None:
    async with world.projecting(VIEW):
        await some_products(writer)
        await eventually(writer.all_shown)
        wrong = writer.streams[3][0].product_id
        await world.views.execute("UPDATE views.product_view SET name = 'Wrong' WHERE product_id = $1", wrong)
        result = await command_json(world, "rebuild", VIEW, code=4)
        assert result["equal"] is False
        assert any("Wrong" in line for line in result["differences"])
        assert (await world.row(wrong))["name"] == "Wrong"  # type: ignore[index]
        assert "unfinished" in await command(world, "rebuild", VIEW, code=1)
        await command(world, "rebuild", VIEW, "--resume", "--accept-differences")
        assert (await world.row(wrong))["name"] == "Shirt 3"  # type: ignore[index]
    assert await fold_of_all(world, writer) == []


async def test_a_roll_back_is_at_once_and_the_old_view_catches_up(world: World, writer: Writer) -> None:
    async with world.projecting(VIEW):
        await some_products(writer)
        await eventually(writer.all_shown)
        assert "nothing to roll back" in await command(world, "rebuild", VIEW, "--rollback", code=1)
        oid = await world.views.fetchval("SELECT 'views.product_view'::regclass::oid")
        await command(world, "rebuild", VIEW)
        await writer.happen(created(slug="after"), priced("3.00"))
        await eventually(writer.all_shown)
        await command(world, "rebuild", VIEW, "--rollback")
        assert await world.views.fetchval("SELECT 'views.product_view'::regclass::oid") == oid
        await eventually(writer.all_shown)
        await eventually(world.ready)
        assert await world.views.fetchval("SELECT to_regclass('views_shadow.product_view')") is None
        # And once more, to the end.
        await command(world, "rebuild", VIEW)
        await command(world, "rebuild", VIEW, "--finish")
        assert await world.views.fetchval("SELECT to_regclass('views_previous.product_view')") is None
        assert "nothing to roll back" in await command(world, "rebuild", VIEW, "--rollback", code=1)
    assert await fold_of_all(world, writer) == []


async def test_a_rebuild_that_was_stopped_goes_on_where_it_was(world: World, writer: Writer) -> None:
    async with world.projecting(VIEW):
        await some_products(writer)
        await eventually(writer.all_shown)
        await world.views.execute(STOP_AT_THE_SECOND_SLICE)
        holder = await asyncpg.connect(world.owner_dsns[1])
        async with holder.transaction():
            await holder.execute("SELECT pg_advisory_xact_lock(42)")
            in_memory = {"REBUILD_PRODUCTS_IN_MEMORY_MAX": "10"}
            # No pipe: its worker holds one open, and `wait` would wait for the worker, too.
            nowhere = asyncio.subprocess.DEVNULL
            process = await start(world, "rebuild", VIEW, "--workers", "1", output=nowhere, **in_memory)
            await eventually(lambda: slices_done(world, 1))
            await eventually(lambda: workers_waiting(world, 1))
            process.kill()
            await process.wait()
        await holder.close()
        await eventually(lambda: workers_waiting(world, 0))
        record = await command_json(world, "rebuild", VIEW, "--show")
        assert record["phase"] == "loading"
        assert 1 <= len(record["slices_done"]) < record["slices"]
        result = await command_json(world, "rebuild", VIEW, "--resume")
        assert result["equal"] is True
    assert await fold_of_all(world, writer) == []


async def slices_done(world: World, count: int) -> None:
    done = await world.views.fetchval("SELECT cardinality(slices_done) FROM views.rebuild")
    assert (done or 0) >= count


async def workers_waiting(world: World, count: int) -> None:
    waiting = await world.views.fetchval(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = 42"
    )
    assert waiting == count


STOP_AT_THE_SECOND_SLICE = """
    CREATE FUNCTION views.wait_for_test() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF cardinality(NEW.slices_done) = 2 THEN
            PERFORM pg_advisory_xact_lock(42);
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER wait_for_test BEFORE UPDATE ON views.rebuild
    FOR EACH ROW EXECUTE FUNCTION views.wait_for_test();
"""


async def test_a_cancelled_rebuild_leaves_nothing_behind(world: World, writer: Writer) -> None:
    async with world.projecting(VIEW):
        await some_products(writer)
        await eventually(writer.all_shown)
        before = await contents(world)
        assert "no rebuild" in await command(world, "rebuild", VIEW, "--cancel", code=1)
        await command(world, "rebuild", VIEW, "--no-switch")
        assert await contents(world) == before == await contents(world, "views_shadow")
        await command(world, "rebuild", VIEW, "--cancel")
        assert await world.views.fetchval("SELECT to_regclass('views_shadow.product_view')") is None
        assert await contents(world) == before
        assert await command_json(world, "rebuild", VIEW, "--show") is None


async def test_what_cannot_be_folded_is_parked_after_the_switch_and_what_can_be_now_is_not(
    world: World, writer: Writer
) -> None:
    async with world.projecting(VIEW):
        await some_products(writer)
        bad = history(
            new_product_id(),
            created(slug="bad"),
            priced("2.00"),
            priced("3.00"),
            first_position=writer.position + 1,
        )
        bad[1] = msgspec.structs.replace(bad[1], schema_version=9)
        writer.position += 3
        await writer.keep(bad)
        spoilt = await writer.happen(created(slug="spoilt"))
        await eventually(writer.all_shown)
        # Parked by the live view, although the log has it right: the rebuilt view applies it.
        later = history(spoilt[0].product_id, created(), priced("7.00"), first_position=writer.position)[1]
        writer.position += 1
        await writer.keep([later])
        await poison(world, later)
        await writer.published()
        await eventually(lambda: parked_products(world, [spoilt[0].product_id]))
        result = await command_json(world, "rebuild", VIEW)
        assert (result["equal"], result["left_out"]) == (True, 2)
        await parked_products(world, [bad[0].product_id])
        await world.table_shows(bad[0].product_id, 1)
        await world.table_shows(spoilt[0].product_id, 2)
        rows = await world.views.fetch(
            "SELECT stream_version, error_class, record_offset FROM views.parked_event ORDER BY 1"
        )
        assert [tuple(row) for row in rows] == [
            (2, "unknown-schema-version", -bad[1].log_position), (3, "follower", -bad[2].log_position),
        ]  # fmt: skip
        # Its later events keep coming behind it, and when the cause is gone it is retried like any other.
        await world.publish(bad[1:])
        await world.store.execute(
            "UPDATE catalogue.events SET schema_version = 1 WHERE position = $1", bad[1].log_position
        )
        await command(world, "dead-letters", "retry", "--projection", VIEW, "--all", "--from-log")
        await eventually(lambda: world.table_shows(bad[0].product_id, 3))
        await eventually(lambda: parked_products(world, []))


async def test_without_a_running_live_view_a_rebuild_says_so_or_goes_without_comparison(
    world: World, writer: Writer
) -> None:
    async with world.projecting(VIEW):
        await some_products(writer)
        await eventually(writer.all_shown)
    await writer.happen(created(slug="unseen"))
    short = {"REBUILD_LIVE_WAIT_SECONDS_MAX": "0.1"}
    output = await command(world, "rebuild", VIEW, code=1, **short)
    assert "the live view has not reached the end of partitions" in output
    await command(world, "rebuild", VIEW, "--resume", "--without-comparison")
    await writer.all_shown()
    async with world.projecting(VIEW):
        await writer.happen(created(slug="seen"))
        await eventually(writer.all_shown)
    assert await fold_of_all(world, writer) == []


async def test_a_reader_that_holds_the_table_delays_the_switch_and_nobody_else(
    world: World, writer: Writer
) -> None:
    async with world.projecting(VIEW):
        await some_products(writer)
        await eventually(writer.all_shown)
        async with world.views.transaction():
            await world.views.fetch("SELECT * FROM views.product_view")
            process = await start(world, "rebuild", VIEW)
            await waits_for_its_turn(process)
        output, errors = await process.communicate()
        assert process.returncode == 0, output + errors
    assert await fold_of_all(world, writer) == []


async def test_a_reader_that_holds_the_table_delays_a_rollback_too(world: World, writer: Writer) -> None:
    async with world.projecting(VIEW):
        await some_products(writer)
        await eventually(writer.all_shown)
        await command(world, "rebuild", VIEW)
        async with world.views.transaction():
            await world.views.fetch("SELECT * FROM views.product_view")
            process = await start(world, "rebuild", VIEW, "--rollback")
            await waits_for_its_turn(process)
        output, errors = await process.communicate()
        assert process.returncode == 0, output + errors
        assert b"the previous view is live again" in output
    assert await fold_of_all(world, writer) == []


async def waits_for_its_turn(process: asyncio.subprocess.Process) -> None:
    """Reads what it prints, up to the line that says so."""
    assert process.stdout is not None
    printed = line = b""
    while b"waits for its tables" not in line:
        try:
            line = await asyncio.wait_for(process.stdout.readline(), 60)
        except TimeoutError:
            pytest.fail(f"it prints nothing more after: {printed.decode()}")
        assert line, f"it has ended after: {printed.decode()}"
        printed += line


async def test_a_hole_in_the_log_ends_a_rebuild_with_its_place(world: World, writer: Writer) -> None:
    await some_products(writer)
    holed = history(
        new_product_id(), created(), priced("2.00"), priced("3.00"), first_position=writer.position + 1
    )
    await writer.keep([holed[0], holed[2]])
    output = await command(world, "rebuild", VIEW, "--without-comparison", code=1)
    assert f"the log lacks version 2 of product {holed[0].product_id}" in output
    await command(world, "rebuild", VIEW, "--cancel")


async def test_only_views_that_can_be_rebuilt_are_taken(world: World) -> None:
    assert "invalid choice" in await command(world, "rebuild", "nothing", code=2)
