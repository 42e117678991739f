"""A server that takes connections and answers nothing, and a table that is locked: the projection that needs
it says so as long as it lasts, loses and parks nothing, and goes on by itself.
"""

from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from deploy.local.redis import RedisServer
from projector.applying.postgres import PostgresEventLog
from projector.errors import Unavailable
from projector.operators.status import ProjectionStatus, read_status
from projector.projections import PRODUCT_CACHE
from shared.ops.secret import Secret
from shared.postgres.pool import create_pool
from tests.counters import counted
from tests.eventually import eventually
from tests.integration.projector_world import World, product_id_in, world
from tests.servers import DatabaseDsns, paused
from tests.tcp_proxy import TcpProxy
from tests.unit.projector.histories import created, history, priced

__all__ = ["world"]
pytestmark = pytest.mark.servers


async def told(world: World, name: str) -> ProjectionStatus:
    status = await read_status(world.settings)
    return next(one for one in status.projections if one.projection == name)


async def waits(world: World, name: str, cause: str) -> None:
    """So that an operator sees it, and a deployment too."""
    one = await told(world, name)
    assert one.state == "waiting", one
    assert one.reason is not None
    assert one.reason.startswith(cause), one.reason
    assert " (since 20" in one.reason
    checks = (await world.ops("/readyz")).json()["checks"]
    assert checks[name].startswith(f"Unavailable: {cause}"), checks


async def runs(world: World, name: str) -> None:
    one = await told(world, name)
    assert (one.state, one.reason) == ("running", None)
    assert (await world.ops("/readyz")).status_code == 200


async def test_while_redis_hangs_every_look_at_the_cache_says_that_it_waits(
    world: World, redis_server: RedisServer
) -> None:
    name, events = PRODUCT_CACHE.name, history(product_id_in(3), created(), priced("2.00"))
    attempts = {"projection": name, "error_class": "transient"}
    async with world.projecting(name, redis_timeout_seconds=0.3, retry_budget_seconds=0.5):
        await world.happen(events[:1])
        await eventually(lambda: world.cache_shows(events[0].product_id, 1))
        with paused(redis_server):
            await world.happen(events[1:])
            await eventually(lambda: waits(world, name, "Redis: TimeoutError"))
            until = counted("projection_errors_total", **attempts) + 5
            while counted("projection_errors_total", **attempts) < until:
                await waits(world, name, "Redis: TimeoutError")
        await eventually(lambda: world.cache_shows(events[0].product_id, 2))
        await eventually(lambda: runs(world, name))


async def test_a_locked_table_is_waited_for_and_its_events_are_not_parked(world: World) -> None:
    """SHARE lets the projection read the table, so that its writes alone fail, as those of a bad event do."""
    events = history(product_id_in(3), created(), priced("2.00"))
    # A statement's own limit is far away: on a slow machine it could come first.
    limits = {
        "lock_timeout_seconds": 0.2,
        "statement_timeout_seconds": 5.0,
        "unknown_error_budget_seconds": 0.1,
    }
    async with world.projecting("product_view", **limits):
        await world.happen(events[:1])
        await eventually(lambda: world.table_shows(events[0].product_id, 1))
        async with world.views.transaction():
            await world.views.execute("LOCK TABLE views.product_view IN SHARE MODE")
            await world.happen(events[1:])
            cause = "read model: another session holds a lock on a table or row"
            await eventually(lambda: waits(world, "product_view", cause))
        await eventually(lambda: world.table_shows(events[0].product_id, 2))
        await eventually(lambda: runs(world, "product_view"))
    assert await world.views.fetchval("SELECT count(*) FROM views.parked_event") == 0


async def test_a_log_that_is_too_slow_is_a_server_that_is_away_and_no_fault_of_an_event(
    event_store_dsns: DatabaseDsns,
) -> None:
    """The server ends a read by its statement time-out."""
    pool = await create_pool(
        event_store_dsns.log_reader,
        application_name="test",
        size_max=1,
        statement_timeout_seconds=0.2,
        connect_timeout_seconds=30,
    )
    owner = await asyncpg.connect(event_store_dsns.owner)
    try:
        async with owner.transaction():
            await owner.execute("LOCK TABLE catalogue.streams IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(Unavailable, match="event store: too slow"):
                await PostgresEventLog(pool).events_after({product_id_in(3): 0})
        assert await PostgresEventLog(pool).events_after({product_id_in(3): 0}) == {}
    finally:
        await owner.close()
        await pool.close()


async def test_an_event_store_that_hangs_is_named_before_any_time_out(world: World) -> None:
    events = history(product_id_in(3), created(), priced("2.00"))
    dsn = urlsplit(world.settings.event_store_read_dsn.read())
    assert dsn.hostname is not None
    assert dsn.port is not None
    async with TcpProxy(dsn.hostname, dsn.port) as proxy:
        away = Secret(dsn.geturl().replace(f":{dsn.port}/", f":{proxy.port}/"))
        # No limit may end an attempt before the wait is told, however slow the machine is.
        limits = {"connect_timeout_seconds": 300.0, "statement_timeout_seconds": 300.0}
        async with world.projecting("product_view", event_store_read_dsn=away, **limits):
            await world.append(events)
            proxy.stall()
            await world.publish(events[1:])  # the first version has to come from the log
            await eventually(lambda: waits(world, "product_view", "event store: no answer yet"))
            proxy.flow()
            await eventually(lambda: world.table_shows(events[0].product_id, 2))
            await eventually(lambda: runs(world, "product_view"))


async def test_a_projection_leaves_a_read_model_that_falls_silent_within_its_transaction(
    world: World, tmp_path: Path
) -> None:
    """As at a fail-over whose old primary has vanished: the address leads to another one, and the old one
    does not answer what it was asked.
    """
    events = history(product_id_in(3), created(), priced("2.00"))
    direct = world.settings.read_model_dsn.read()
    dsn = urlsplit(direct)
    address = tmp_path / "read_model_dsn"
    async with TcpProxy(str(dsn.hostname), dsn.port or 0) as proxy:
        address.write_text(direct.replace(f":{dsn.port}/", f":{proxy.port}/"))
        # A lock is waited for until the statement's time is over.
        changed = {"statement_timeout_seconds": 2.0, "lock_timeout_seconds": 30.0}
        async with world.projecting("product_view", read_model_dsn=Secret.from_file(address), **changed):
            await world.happen(events[:1])
            await eventually(lambda: world.table_shows(events[0].product_id, 1))
            async with world.views.transaction():
                await world.views.execute("LOCK TABLE views.product_view IN SHARE MODE")
                await world.happen(events[1:])
                await eventually(lambda: a_write_waits(world))
                proxy.stall()
                address.write_text(direct)
            await eventually(lambda: world.table_shows(events[0].product_id, 2))


async def a_write_waits(world: World) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'views.product_view'::regclass"
    assert await world.views.fetchval(waiting)
