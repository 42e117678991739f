"""The room of the log: it is told truly also while no partition can be made, and that ends no process."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from prometheus_client import REGISTRY

from command_api.postgres.maintenance import LogPartitions, PartitionsNotMade
from shared.postgres.pool import create_pool
from shared.postgres.sql import load_sql
from tests.eventually import eventually
from tests.integration.relay_world import EventLog, event_log, get, relay_settings, relaying
from tests.integration.small_partitions import SMALL_PARTITIONS
from tests.servers import DatabaseDsns
from tests.unit.relay.sample_events import sample_events

pytestmark = pytest.mark.servers
_BOUNDS = "SELECT partition_name, lower_position, upper_position FROM catalogue.log_partitions()"


@pytest.fixture
async def log(event_store_dsns: DatabaseDsns) -> AsyncIterator[EventLog]:
    """Ten positions in a partition, two empty ones ahead."""
    async with event_log(event_store_dsns) as opened:
        await opened.connection.execute(SMALL_PARTITIONS)
        yield opened


@pytest.fixture
async def pool(event_store_dsns: DatabaseDsns) -> AsyncIterator[Any]:
    opened = await create_pool(
        event_store_dsns.writer, application_name="test", size_max=1,
        statement_timeout_seconds=0.3, connect_timeout_seconds=5,
    )  # fmt: skip
    yield opened
    await opened.close()


def _room() -> tuple[float | None, float | None]:
    names = "event_partitions_ahead", "event_positions_left"
    return REGISTRY.get_sample_value(names[0]), REGISTRY.get_sample_value(names[1])


async def test_a_relay_that_can_make_no_partition_goes_on_and_tells_that_the_room_runs_out(
    log: EventLog, event_store_dsns: DatabaseDsns, kafka_bootstrap_servers: str, kafka_prefix: str
) -> None:
    """Somebody has left a table with the name of the next partition: an error that no outage explains."""
    await log.connection.execute("CREATE TABLE catalogue.events_p000003 ()")
    settings = relay_settings(
        event_store_dsns, kafka_bootstrap_servers, kafka_prefix, relay_partitions_interval_seconds=0.05
    )
    events = sample_events(25)

    async def told(ahead: int, left: int, reason: str | None) -> None:
        metrics = (await get(settings.relay_ops_port, "/metrics")).text
        assert f"\nevent_partitions_ahead {ahead}.0\n" in metrics
        assert f"\nevent_positions_left {left}.0\n" in metrics
        ready = await get(settings.relay_ops_port, "/readyz")
        assert ready.status == 200
        answer = json.loads(ready.text)
        assert ("log partitions" in answer["degraded"]) is (reason is not None)
        assert (reason or "ok") in answer["checks"]["log partitions"]

    async with relaying(settings):
        await log.append(events[:15])
        await log.cursor_reaches(15)
        await eventually(lambda: told(1, 14, "cannot be made: DuplicateTableError"))
        await log.append(events[15:])
        await log.cursor_reaches(25)
        await eventually(lambda: told(0, 4, "no empty partition follows"))
        await log.connection.execute("DROP TABLE catalogue.events_p000003")
        await eventually(lambda: told(2, 24, None))


async def test_counting_goes_on_while_a_lock_keeps_partitions_from_being_made(
    log: EventLog, pool: Any, event_store_dsns: DatabaseDsns
) -> None:
    partitions = LogPartitions(pool, 2, 60)
    async with log.connection.transaction():
        await log.connection.execute("SELECT pg_advisory_xact_lock(7281044, 2)")
        await log.connection.execute("SELECT setval('catalogue.event_position', 19)")
        await partitions.upkeep.turn()
        await partitions.count()
        assert _room() == (1, 10)
        with pytest.raises(PartitionsNotMade, match="cannot be made"):
            await partitions.check()
    await partitions.upkeep.turn()
    await partitions.count()
    assert _room() == (2, 20)
    await partitions.check()


async def test_partitions_get_another_size_while_the_log_is_used(log: EventLog) -> None:
    run = log.connection
    await run.execute("UPDATE catalogue.event_log SET partition_positions = 1000")
    await run.execute("SELECT setval('catalogue.event_position', 12)")
    assert await run.fetchval("SELECT catalogue.ensure_partitions()") == 1
    assert [tuple(row) for row in await run.fetch(_BOUNDS)] == [
        ("events_p000000", 0, 10),
        ("events_p000001", 10, 20),
        ("events_p000002", 20, 30),
        ("events_p000003", 30, 1030),
    ]
    assert tuple(await run.fetchrow("SELECT * FROM catalogue.log_room()")) == (2, 1030 - 13)
    # A log without room gets it where the newest position is, whatever was before.
    await run.execute("SELECT setval('catalogue.event_position', 5500)")
    assert await run.fetchval("SELECT catalogue.ensure_partitions(1)") == 2
    assert [tuple(row) for row in (await run.fetch(_BOUNDS))[4:]] == [
        ("events_p000005", 5000, 6000),
        ("events_p000006", 6000, 7000),
    ]


async def test_positions_behind_a_gap_are_no_room(log: EventLog) -> None:
    await log.connection.execute("DROP TABLE catalogue.events_p000001")
    assert tuple(await log.connection.fetchrow("SELECT * FROM catalogue.log_room()")) == (0, 8)


async def test_two_makers_at_a_time_make_each_partition_once(
    log: EventLog, event_store_dsns: DatabaseDsns
) -> None:
    makers = [await asyncpg.connect(event_store_dsns.writer) for _ in range(2)]
    try:
        made = await asyncio.gather(
            *(one.fetchval("SELECT catalogue.ensure_partitions(6)") for one in makers)
        )
    finally:
        for one in makers:
            await one.close()
    assert sorted(made) == [0, 4]


async def test_the_partition_that_the_runbook_makes_by_hand_is_used_and_the_next_ones_follow_it(
    log: EventLog,
) -> None:
    run = log.connection
    await run.execute("CREATE TABLE catalogue.events_p000003 ()")
    await run.execute(load_sql("docs.runbooks", "make_log_partition"))
    assert tuple(await run.fetchrow("SELECT * FROM catalogue.log_room()")) == (3, 38)
    await log.append(sample_events(35))
    assert await run.fetchval("SELECT count(*) FROM catalogue.events_by_hand_30") == 6
    await run.execute("DROP TABLE catalogue.events_p000003")
    assert await run.fetchval("SELECT catalogue.ensure_partitions()") == 2
    assert [tuple(row) for row in (await run.fetch(_BOUNDS))[3:]] == [
        ("events_by_hand_30", 30, 40),
        ("events_p000003", 40, 50),
        ("events_p000004", 50, 60),
    ]
