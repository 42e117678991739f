"""What goes wrong around a running projector: outages lose nothing, and what can never work stops loudly."""

import asyncio
import json
import os
import re
import signal
import sys
from uuid import UUID

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.local.ports import free_port
from deploy.local.postgres import PostgresServer
from deploy.local.redis import RedisServer
from projector.operators.status import read_status
from projector.projections import PRODUCT_CACHE
from shared.contract import events as e
from shared.contract.recorded_event import RecordedEvent
from shared.kafka.cloud_event import record_headers
from tests.counters import counted
from tests.eventually import eventually
from tests.integration.projector_environment import environment_of
from tests.integration.projector_world import World, committed, product_id_in, world
from tests.table_projections import TABLES
from tests.unit.projector.histories import created, history, new_product_id, priced

__all__ = ["world"]
pytestmark = pytest.mark.servers
VIEWS = (*TABLES, PRODUCT_CACHE.name)


async def test_postgresql_away_under_load_loses_nothing(
    world: World, postgres_server: PostgresServer
) -> None:
    streams = [history(new_product_id(), created(), priced("2.00"), priced("3.00")) for _ in range(40)]
    async with world.projecting("product_view"):
        for stream in streams:
            await world.publish(stream[:2])
        await asyncio.to_thread(postgres_server.kill)
        for stream in streams:
            await world.publish(stream[2:])

        async def paused() -> None:
            answer = await world.ops("/readyz")
            assert answer.status_code == 200, "all projectors share the server, and each stays ready"
            assert {"read model", "event store", "product_view"} <= set(answer.json()["degraded"])
            assert "read model" in answer.json()["checks"]["product_view"], answer.text

        await eventually(paused)
        assert (await world.ops("/livez")).status_code == 200
        await asyncio.to_thread(postgres_server.start)
        await world.reconnect()
        for stream in streams:
            await eventually(lambda one=stream: world.table_shows(one[0].product_id, 3))
        await eventually(world.ready)


async def test_redis_away_stops_the_cache_for_a_while_and_the_table_never(
    world: World, redis_server: RedisServer
) -> None:
    events = history(new_product_id(), created(), priced("2.00"))

    async def waits(*projections: str) -> None:
        text = (await world.ops("/metrics")).text
        assert {f'projection_waits_for_redis{{projection="{name}"}} 1.0' for name in projections} == {
            line for line in text.splitlines() if re.match(r"projection_waits_for_redis.* 1\.0", line)
        }

    async with world.projecting():
        # Not before: what the log has at the start, the cache would take from there.
        await world.append(events)
        await world.publish(events[:1])
        await eventually(lambda: world.cache_shows(events[0].product_id, 1))
        await waits()
        await asyncio.to_thread(redis_server.kill)
        await world.publish(events[1:])
        await eventually(lambda: world.table_shows(events[0].product_id, 2))
        await eventually(lambda: waits("product_cache"))
        await asyncio.to_thread(redis_server.start)
        await world.redis.connection_pool.disconnect()
        await eventually(lambda: world.cache_shows(events[0].product_id, 2))
        await eventually(waits)


async def test_a_flushed_cache_gets_the_whole_document_back_with_the_next_event(world: World) -> None:
    events = history(new_product_id(), created(), e.ProductPublished(), priced("3.00"))
    async with world.projecting("product_cache"):
        await world.happen(events[:2])
        await eventually(lambda: world.cache_shows(events[0].product_id, 2))
        await world.redis.flushdb()
        await world.happen(events[2:])
        await eventually(lambda: world.cache_shows(events[0].product_id, 3))
    cached = await world.cached(events[0].product_id)
    assert cached is not None
    assert b'"status":"active"' in cached.body


POISON = {
    "broken-json": "undecodable",
    "unknown-schema-version": "unknown-schema-version",
    "a-megabyte-of-nothing": "undecodable",
    "no-headers": "unreadable-record",
    "latin-1-header": "unreadable-record",
    "none-header": "unreadable-record",
    "tombstone": "unreadable-record",
    "wrong-key": "unreadable-record",
    "unknown-type": None,
    "duplicate": None,
}
"""What is on Kafka -> why it is parked; None: it is not."""


async def test_poisoned_records_end_where_they_should_and_their_neighbours_are_unharmed(world: World) -> None:
    befores, bads, behinds = [], [], []
    async with world.projecting(*VIEWS):
        for poison in POISON:
            before, bad, behind = (history(product_id_in(3), created())[0] for _ in range(3))
            await world.publish([before])
            await _publish_poison(world, before if poison == "duplicate" else bad, poison)
            await world.publish([behind])
            befores.append(before.product_id)
            bads.append(bad.product_id)
            behinds.append(behind.product_id)
        end = 3 * len(POISON)
        for name in VIEWS:
            await eventually(lambda name=name: _has_committed(world, name, 3, end))
        for neighbour in (*befores, *behinds):
            await eventually(lambda one=neighbour: world.table_shows(one, 1))
            await eventually(lambda one=neighbour: world.cache_shows(one, 1))
        for bad_id in bads:
            assert await world.row(bad_id) is None
        await world.ready()
    rows = await world.views.fetch("SELECT * FROM views.parked_event ORDER BY projection, record_offset")
    found = [(row["projection"], row["partition"], row["record_offset"], row["error_class"]) for row in rows]
    assert found == [
        (name, 3, 3 * number + 1, reason)
        for name in sorted(VIEWS)
        for number, reason in enumerate(POISON.values())
        if reason is not None
    ]
    assert await _next_offset(world, 3) == end


async def _publish_poison(world: World, event: RecordedEvent, poison: str) -> None:
    key, value = str(event.product_id).encode(), event.data
    headers = dict(record_headers(event, str(world.log_id).encode()))
    if poison == "broken-json":
        value = b"{"
    elif poison == "a-megabyte-of-nothing":
        value = b" " * 1_000_000
    elif poison == "unknown-schema-version":
        headers["ce_schemaversion"] = b"99"
    elif poison == "unknown-type":
        headers["ce_type"] = b"product-blessed"
    elif poison == "no-headers":
        headers = {}
    elif poison == "latin-1-header":
        headers["ce_correlationid"] = "Äpfel".encode("latin-1")
    elif poison == "none-header":
        headers["ce_type"] = None  # type: ignore[assignment]
    elif poison == "wrong-key":
        key = str(product_id_in(3)).encode()
    await world.producer.send_and_wait(
        world.topic, None if poison == "tombstone" else value, key, partition=3, headers=list(headers.items())
    )


async def test_a_hole_in_the_log_stops_its_partition_loudly_until_it_is_filled(world: World) -> None:
    holed = history(product_id_in(3), created(), priced("2.00"), priced("3.00"))
    behind, elsewhere = (history(product_id_in(partition), created())[0] for partition in (3, 4))
    await world.append([holed[0], holed[2]])
    async with world.projecting(stopped_seconds=0.2):
        await world.publish([holed[0], holed[2], behind, elsewhere])
        await eventually(lambda: world.table_shows(elsewhere.product_id, 1))

        async def is_stopped() -> None:
            answer = (await world.ops("/readyz")).json()
            for name in ("product_view", "product_cache"):
                assert "partition 3 stopped: the log lacks version 2" in answer["checks"][name], answer

        await eventually(is_stopped)
        assert (await world.ops("/livez")).status_code == 200
        metrics = (await world.ops("/metrics")).text
        assert 'projection_partitions_stopped{projection="product_view"} 1.0' in metrics
        assert await world.row(behind.product_id) is None
        assert await _next_offset(world, 3) == 1
        await world.append([holed[1]])
        await eventually(lambda: world.table_shows(holed[0].product_id, 3))
        await eventually(lambda: world.cache_shows(behind.product_id, 1))
        await eventually(world.ready)
    assert await world.views.fetchval("SELECT count(*) FROM views.parked_event") == 0


async def test_a_projection_that_parks_leaves_the_other_one_going(world: World) -> None:
    events = history(product_id_in(3), created(), priced("2.00"))
    other = history(product_id_in(3), created(), priced("2.00"))
    async with world.projecting():
        await world.happen(other[:1])
        await eventually(lambda: world.cache_shows(other[0].product_id, 1))
        await world.views.execute(
            "ALTER TABLE views.product_view ADD CONSTRAINT no_two CHECK (stream_version < 2) NOT VALID"
        )
        await world.happen(other[1:])
        await world.happen(events[:1])
        await eventually(lambda: world.cache_shows(other[0].product_id, 2))
        await eventually(lambda: world.table_shows(events[0].product_id, 1))
        rows = await world.views.fetch("SELECT projection, product_id, cause FROM views.parked_product")
    assert [(row["projection"], row["product_id"]) for row in rows] == [("product_view", other[0].product_id)]
    assert "no_two" in rows[0]["cause"]


async def test_a_table_that_is_not_there_holds_the_projection_up_and_parks_nothing(world: World) -> None:
    events = history(product_id_in(3), created(), priced("2.00"))
    transient = {"projection": "product_view", "error_class": "transient"}
    before = counted("projection_errors_total", **transient)
    async with world.projecting("product_view", unknown_error_budget_seconds=0.3):
        await world.happen(events[:1])
        await eventually(lambda: world.table_shows(events[0].product_id, 1))
        await world.views.execute("ALTER TABLE views.product_view RENAME TO elsewhere")
        await world.happen(events[1:])

        async def waits() -> None:
            checks = (await world.ops("/readyz")).json()["checks"]
            assert "UndefinedTableError" in checks["product_view"], checks

        await eventually(waits)
        assert await world.views.fetchval("SELECT count(*) FROM views.parked_event") == 0
        await world.views.execute("ALTER TABLE views.elsewhere RENAME TO product_view")
        await eventually(lambda: world.table_shows(events[0].product_id, 2))
        await eventually(world.ready)
    assert counted("projection_errors_total", **transient) > before


async def test_an_event_of_another_log_stops_both_projections(world: World) -> None:
    mine, foreign = (history(product_id_in(3), created())[0] for _ in range(2))
    async with world.projecting():
        await world.publish([mine])
        # In one batch with the foreign one it would wait with it.
        await eventually(lambda: world.table_shows(mine.product_id, 1))
        await world.publish([foreign], log_id=UUID(int=9))
        for name in ("product_view", "product_cache"):
            assert str(UUID(int=9)) in await eventually(lambda name=name: world.stopped(name))
        assert await world.row(foreign.product_id) is None


async def test_a_topic_made_anew_stops_the_table_with_what_to_do(world: World) -> None:
    events = [history(product_id_in(3), created())[0] for _ in range(3)]
    async with world.projecting():
        await world.publish(events)
        await eventually(lambda: world.table_shows(events[-1].product_id, 1))
        await eventually(lambda: world.cache_shows(events[-1].product_id, 1))
    await world.remake_topic()
    async with world.projecting(wait=False):
        reason = await eventually(lambda: world.stopped("product_view"))
        assert "repair the cause, then resume the projection" in reason
        # With the topic Kafka forgot the group's offsets: the cache reads from the start.
        again = history(product_id_in(3), created())
        await world.happen(again)
        await eventually(lambda: world.cache_shows(again[0].product_id, 1))


async def test_two_projectors_share_the_partitions_and_take_over_from_each_other(world: World) -> None:
    streams = [history(new_product_id(), created(), priced("2.00"), priced("3.00")) for _ in range(30)]
    other = World(
        world.settings.model_copy(update={"projector_ops_port": free_port()}),
        world.store, world.views, world.redis, world.producer, world.log_id, world.owner_dsns,
    )  # fmt: skip
    async with world.projecting("product_view"):
        for stream in streams:
            await world.happen(stream[:1])
        async with other.projecting("product_view"):
            for stream in streams:
                await world.happen(stream[1:2])
            for stream in streams:
                await eventually(lambda one=stream: world.table_shows(one[0].product_id, 2))
        for stream in streams:
            await world.happen(stream[2:])
        for stream in streams:
            await eventually(lambda one=stream: world.table_shows(one[0].product_id, 3))


async def test_a_replaced_projector_reloads_where_its_successor_got_to(world: World) -> None:
    events = history(product_id_in(3), created(), priced("2.00"), priced("3.00"))
    async with world.projecting("product_view"):
        await world.happen(events[:1])
        await eventually(lambda: world.table_shows(events[0].product_id, 1))
        await world.views.execute(
            "UPDATE views.projection_checkpoint SET next_offset = 2, log_position = $1 WHERE partition = 3",
            events[1].log_position,
        )
        await world.happen(events[1:])
        await eventually(lambda: world.table_shows(events[0].product_id, 3))
        await world.ready()
    assert await _next_offset(world, 3) == 3


async def test_sigterm_ends_the_process_in_time_with_everything_committed(world: World) -> None:
    events = history(product_id_in(3), created(), priced("2.00"))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "projector", "run", "product_view",
        env={**os.environ, **environment_of(world.settings)}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        await eventually(world.ready)
        await world.happen(events)
        await eventually(lambda: world.table_shows(events[0].product_id, 2))
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, output.decode()
    assert await committed(world, "product_view", 3) == 2
    lines = [json.loads(line) for line in output.splitlines()]
    assert {"request-1", "request-2"} <= {
        one for line in lines if line["event"] == "projected" for one in line["correlation_ids"]
    }


async def test_what_was_applied_and_not_committed_is_committed_when_nothing_new_comes(world: World) -> None:
    """A projector that dies, or that Kafka does not hear, between the two leaves that behind."""
    events = history(product_id_in(3), created(), priced("2.00"))
    async with world.projecting("product_view"):
        await world.publish(events)
        await eventually(lambda: _has_committed(world, "product_view", 3, 2))
    tp = TopicPartition(world.topic, 3)
    forgetful = AIOKafkaConsumer(
        bootstrap_servers=world.settings.kafka_bootstrap_servers,
        group_id=f"{world.settings.kafka_topic_prefix}product_view",
        enable_auto_commit=False,
    )
    await forgetful.start()
    try:
        forgetful.assign([tp])
        await forgetful.commit({tp: 1})
    finally:
        await forgetful.stop()
    assert await committed(world, "product_view", 3) == 1
    async with world.projecting("product_view"):
        await eventually(lambda: _has_committed(world, "product_view", 3, 2))


async def test_status_tells_where_each_projection_is(world: World) -> None:
    events = history(product_id_in(3), created(), priced("2.00"), first_position=1)
    async with world.projecting():
        await world.happen(events)
        await eventually(lambda: world.table_shows(events[0].product_id, 2))
        await eventually(lambda: world.cache_shows(events[0].product_id, 2))
    await world.happen(history(product_id_in(3), created(), first_position=3))
    status = await read_status(world.settings)
    assert status.problems == []
    assert status.newest_log_position == 3
    of = {(one.projection, one.partition): one for one in status.partitions}
    table, cache = of["product_view", 3], of["product_cache", 3]
    assert (table.next_offset, table.lag_events, table.log_position, table.log_id) == (2, 1, 2, world.log_id)
    assert (cache.next_offset, cache.lag_events) == (2, 1)


async def _next_offset(world: World, partition: int) -> int:
    sql = (
        "SELECT next_offset FROM views.projection_checkpoint"
        " WHERE projection = 'product_view' AND partition = $1"
    )
    return int(await world.views.fetchval(sql, partition))


async def _has_committed(world: World, projection: str, partition: int, offset: int) -> None:
    assert await committed(world, projection, partition) == offset
