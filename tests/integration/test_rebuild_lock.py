"""One process at a time works on a projection's rebuild, and one that has lost its lock changes nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import pytest

from projector.errors import RebuildIsLocked, RebuildLockLost
from projector.rebuild.postgres import lock as lock_module
from projector.rebuild.postgres.lock import APPLICATION_NAME, rebuild_lock
from projector.rebuild.postgres.record import RebuildRecords
from shared.contract import events as e
from shared.contract.addresses import product_key
from tests.eventually import eventually
from tests.integration.projector_commands import command, command_json
from tests.integration.projector_world import World, world
from tests.integration.rebuild_process import RebuildProcess, rebuild_process
from tests.integration.rebuild_world import Writer, writer
from tests.unit.projector.histories import created, priced

__all__ = ["world", "writer"]
pytestmark = pytest.mark.servers
VIEW = "product_view"
UNCOMPARED = ("--without-comparison", "--workers", "1")
REFUSED = f"another process works on the rebuild of {VIEW} (PostgreSQL session"


@pytest.fixture
async def product(world: World, writer: Writer) -> UUID:
    """One product in the log; no projector runs, so that only rebuilds make views."""
    stream = await writer.happen(created(), priced("2.00"), e.ProductPublished())
    return stream[0].product_id


async def lock_holders(world: World) -> int:
    return int(
        await world.views.fetchval(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE application_name = $1 AND datname = current_database()",
            APPLICATION_NAME,
        )
    )


async def end_lock_connection(world: World) -> None:
    """As its own role, which may end its sessions."""
    connection = await asyncpg.connect(world.settings.read_model_dsn.read())
    ended = await connection.fetchval(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE application_name = $1 AND datname = current_database()",
        APPLICATION_NAME,
    )
    await connection.close()
    assert ended == 1
    await lock_is_free(world)


async def lock_is_free(world: World) -> None:
    async def is_free() -> None:
        assert await lock_holders(world) == 0

    await eventually(is_free)


async def phase(world: World) -> str | None:
    found: str | None = await world.views.fetchval("SELECT phase FROM views.rebuild")
    return found


async def refused(world: World, *arguments: str) -> None:
    """By a second real process, with an exit code of its own."""
    output = await command(world, "rebuild", VIEW, *arguments, code=5)
    assert REFUSED in output
    assert f"rebuild {VIEW} --show" in output


async def killed(world: World, process: RebuildProcess) -> None:
    """The server frees its lock."""
    process.process.kill()
    await lock_is_free(world)


async def test_while_a_rebuild_is_resumed_nobody_else_touches_it(world: World, product: UUID) -> None:
    await command(world, "rebuild", VIEW, "--no-switch", *UNCOMPARED)
    with rebuild_process(
        world.settings, VIEW, "--resume", *UNCOMPARED, fault="pause-before-switch:1"
    ) as first:
        await first.is_paused()
        await asyncio.gather(
            refused(world, "--resume", *UNCOMPARED),
            refused(world, "--cancel"),
            refused(world, "--rollback"),
            refused(world, "--finish"),
            refused(world, *UNCOMPARED),
        )
        assert (await command_json(world, "rebuild", VIEW, "--show"))["phase"] == "catching-up"
        assert await world.row(product) is None
        first.go_on()
        code, output = await first.has_ended()
        assert code == 0, output
    await world.table_shows(product, 3)
    assert await phase(world) == "switched"


@pytest.mark.parametrize(
    ("flag", "place", "after"),
    [
        ("--cancel", "before-drop", None),
        ("--rollback", "before-switch-back", None),
        ("--finish", "before-drop-previous", None),
        ("--without-comparison", "before-make", "switched"),
    ],
)
async def test_nobody_resumes_beside_another_step_and_a_killed_one_frees_the_lock(
    world: World, product: UUID, flag: str, place: str, after: str | None
) -> None:
    if flag != "--without-comparison":
        switches = () if flag in ("--rollback", "--finish") else ("--no-switch",)
        await command(world, "rebuild", VIEW, *UNCOMPARED, *switches)
    with rebuild_process(world.settings, VIEW, flag, "--workers", "1", fault=f"pause-{place}:1") as first:
        await first.is_paused()
        await refused(world, "--resume", *UNCOMPARED)
        await killed(world, first)
    await command(world, "rebuild", VIEW, flag, "--workers", "1")
    assert await phase(world) == after


async def test_a_rebuild_that_lost_its_lock_to_another_process_does_not_switch(
    world: World, product: UUID
) -> None:
    oid = await world.views.fetchval("SELECT 'views.product_view'::regclass::oid")
    with rebuild_process(world.settings, VIEW, *UNCOMPARED, fault="pause-before-switch:1") as first:
        await first.is_paused()
        await end_lock_connection(world)
        await command(world, "rebuild", VIEW, "--cancel")
        await command(world, "rebuild", VIEW, "--no-switch", *UNCOMPARED)
        first.go_on()
        code, output = await first.has_ended()
        assert code == 1, output
        assert f"lost the lock on the rebuild of {VIEW}" in output
    assert await phase(world) == "catching-up"
    assert await world.views.fetchval("SELECT 'views.product_view'::regclass::oid") == oid


async def test_a_rebuild_whose_lock_connection_ends_stops_and_can_be_resumed(
    world: World, product: UUID
) -> None:
    with rebuild_process(world.settings, VIEW, *UNCOMPARED, fault="pause-before-index:1") as first:
        await first.is_paused()
        await end_lock_connection(world)
        first.go_on()
        code, output = await first.has_ended()
        assert code == 1, output
        assert f"lost the lock on the rebuild of {VIEW}" in output
    assert await phase(world) in ("loading", "catching-up")
    await command(world, "rebuild", VIEW, "--resume", *UNCOMPARED)
    await world.table_shows(product, 3)


async def test_the_cache_is_rebuilt_by_one_process_too(world: World, product: UUID) -> None:
    fault = "pause-before-cache-switch:1"
    with rebuild_process(world.settings, "product_cache", *UNCOMPARED, fault=fault) as first:
        await first.is_paused()
        output = await command(world, "rebuild", "product_cache", "--resume", *UNCOMPARED, code=5)
        assert "the rebuild of product_cache" in output
        first.go_on()
        code, output = await first.has_ended()
        assert code == 0, output


async def test_a_cache_whose_switch_was_not_noted_is_never_dropped_by_what_comes_next(
    world: World, product: UUID
) -> None:
    fault = "kill-before-cache-record:1"
    with rebuild_process(world.settings, "product_cache", *UNCOMPARED, fault=fault) as first:
        await first.has_ended()
    key = product_key(world.settings.redis_key_prefix, product, 1)
    assert await world.redis.exists(key)
    output = await command(world, "rebuild", "product_cache", "--cancel", code=1)
    assert "is the live one already" in output
    await command(world, "rebuild", "product_cache", "--resume", *UNCOMPARED)
    await command(world, "rebuild", "product_cache", "--finish")
    assert await world.redis.exists(key)


async def test_a_rebuild_that_other_code_began_can_be_cancelled(world: World, product: UUID) -> None:
    await command(world, "rebuild", VIEW, "--no-switch", *UNCOMPARED)
    await world.views.execute("UPDATE views.rebuild SET made_by = '0.0.1 older'")
    assert "cancel it" in await command(world, "rebuild", VIEW, "--resume", *UNCOMPARED, code=1)
    await command(world, "rebuild", VIEW, "--cancel")
    assert await phase(world) is None


@asynccontextmanager
async def read_model(world: World) -> "AsyncIterator[asyncpg.Pool[asyncpg.Record]]":
    pool = await asyncpg.create_pool(world.settings.read_model_dsn.read(), min_size=0, max_size=2)
    try:
        yield pool
    finally:
        await pool.close()


async def test_whoever_takes_the_lock_ends_the_rights_of_the_one_before(world: World) -> None:
    dsn = world.settings.read_model_dsn.read()
    async with read_model(world) as pool:
        async with rebuild_lock(dsn, VIEW, connect_timeout_seconds=5) as first:
            before = RebuildRecords(pool, VIEW, first)
            async with before.owned():
                pass
        async with rebuild_lock(dsn, VIEW, connect_timeout_seconds=5):
            for act in (before.forget(), before.move_to("proved"), before.start(first, 1, 1, "it", 0)):
                with pytest.raises(RebuildLockLost, match=VIEW):
                    await act
        with pytest.raises(RebuildLockLost):
            await RebuildRecords(pool, VIEW).forget()


async def test_a_transaction_of_a_process_that_was_stopped_is_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_module, "_TAKE_SECONDS_MAX", 0.1)
    dsn = world.settings.read_model_dsn.read()
    async with read_model(world) as pool:
        async with rebuild_lock(dsn, VIEW, connect_timeout_seconds=5) as first:
            pass
        async with RebuildRecords(pool, VIEW, first).owned():
            with pytest.raises(RebuildIsLocked, match="still runs"):
                async with rebuild_lock(dsn, VIEW, connect_timeout_seconds=5):
                    pytest.fail("the transaction of the one before has not ended")
        async with rebuild_lock(dsn, VIEW, connect_timeout_seconds=5):
            pass


async def test_the_locks_of_two_projections_are_two(world: World) -> None:
    dsn = world.settings.read_model_dsn.read()
    async with (
        rebuild_lock(dsn, VIEW, connect_timeout_seconds=5),
        rebuild_lock(dsn, "inventory", connect_timeout_seconds=5),
    ):
        with pytest.raises(RebuildIsLocked, match="inventory"):
            async with rebuild_lock(dsn, "inventory", connect_timeout_seconds=5):
                pytest.fail("it is held")
