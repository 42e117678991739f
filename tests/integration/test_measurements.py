"""What processes measure in the background, against the real servers."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from prometheus_client import REGISTRY

from command_api.relay.kafka.consumer_groups import ConsumerGroups, GroupState
from command_api.relay.kafka.group_measurement import GroupGauges
from projector.rebuild.postgres.progress import rebuild_measurement
from shared.contract.addresses import topics
from shared.kafka.servers import KafkaServers
from shared.kafka.topics import TopicSpec, ensure_topics
from shared.ops.measuring import measure
from shared.postgres.clock_skew import clock_skew
from shared.postgres.pool import create_pool
from shared.postgres.sql import load_sql
from tests.counters import counted
from tests.eventually import eventually
from tests.servers import DatabaseDsns

pytestmark = pytest.mark.servers
PARTITIONS = 2
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TOLERATED = 60.0
"""Seconds by which a slow machine may be late."""


def _gauge(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


# --- PostgreSQL ----------------------------------------------------------------------------------


@pytest.fixture
async def pool(read_model_dsns: DatabaseDsns) -> AsyncIterator[Any]:
    opened = await create_pool(
        read_model_dsns.owner,
        application_name=f"test {uuid4()}",
        size_max=2,
        statement_timeout_seconds=30,
        connect_timeout_seconds=30,
    )
    yield opened
    await opened.close()


async def test_a_pool_shows_its_connections_and_who_waits_for_one(pool: Any) -> None:
    name = await pool.fetchval("SHOW application_name")

    def shown() -> tuple[float | None, ...]:
        return tuple(
            _gauge(f"db_pool_{what}", pool=name) for what in ("size_max", "size", "in_use", "waiting")
        )

    assert shown() == (2, 1, 0, 0)
    held = [await pool.acquire() for _ in range(2)]
    waiting = asyncio.create_task(pool.fetchval("SELECT 1"))
    await eventually(lambda: _equal(shown(), (2, 2, 2, 1)))
    for connection in held:
        await pool.release(connection)
    await waiting
    assert shown() == (2, 2, 0, 0)
    assert counted("db_pool_wait_seconds_count", pool=name) == 4
    with pytest.raises(TimeoutError):
        async with pool.acquire(), pool.acquire(), pool.acquire(timeout=0.001):
            pass
    assert counted("db_pool_acquire_failures_total", pool=name) == 1


def _equal(found: object, wanted: object) -> None:
    assert found == wanted


async def test_the_clocks_of_one_machine_differ_by_nothing_that_matters(pool: Any) -> None:
    assert abs(await clock_skew(pool)) < TOLERATED


async def test_a_rebuild_is_shown_until_it_has_switched(pool: Any) -> None:
    names = ["product_view", "inventory"]
    await pool.execute(
        load_sql("projector.rebuild.postgres", "insert_rebuild"), names[0], UUID(int=1), 900, 4, "test", 0
    )
    stop = asyncio.Event()
    one = rebuild_measurement(pool, names)._replace(seconds=0.01)
    measuring = asyncio.create_task(measure(stop, [one]))

    def shown(projection: str) -> tuple[float | None, ...]:
        gauges = ("rebuild_running", "rebuild_target_position", "rebuild_position", "rebuild_events")
        return tuple(_gauge(name, projection=projection) for name in gauges)

    await eventually(lambda: _equal([shown(name) for name in names], [(1, 900, 0, 0), (0, 0, 0, 0)]))
    await pool.execute("UPDATE views.rebuild SET phase = 'switched'")
    await eventually(lambda: _equal(shown(names[0]), (0, 0, 0, 0)))
    stop.set()
    await measuring


# --- Kafka ---------------------------------------------------------------------------------------


@pytest.fixture
async def topic(kafka_bootstrap_servers: str, kafka_prefix: str) -> str:
    name = topics(kafka_prefix).events
    await ensure_topics(KafkaServers(kafka_bootstrap_servers), [TopicSpec(name, PARTITIONS)])
    return name


async def _publish(servers: str, topic: str, partition: int, *ages: timedelta) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=servers)
    await producer.start()
    for age in ages:
        at = int((datetime.now(UTC) - age).timestamp() * 1000)
        await producer.send_and_wait(topic, b"event", partition=partition, timestamp_ms=at)
    await producer.stop()


def _member(servers: str, group: str) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(bootstrap_servers=servers, group_id=group, enable_auto_commit=False)


async def _commit(servers: str, group: str, offsets: dict[TopicPartition, int]) -> None:
    """As a consumer that dies right after it."""
    consumer = _member(servers, group)
    await consumer.start()
    consumer.assign(list(offsets))
    await consumer.commit(offsets)
    await consumer.stop()


async def _found(groups: ConsumerGroups) -> dict[str, GroupState]:
    return {state.group: state for state in (await groups.find()).groups}


async def test_the_lag_of_a_dead_consumer_is_told_by_the_broker(
    kafka_bootstrap_servers: str, kafka_prefix: str, topic: str
) -> None:
    servers, dead, idle = kafka_bootstrap_servers, f"{kafka_prefix}dead", f"{kafka_prefix}idle"
    await _publish(servers, topic, 0, 3 * HOUR, 2 * HOUR, timedelta(0))
    await _publish(servers, topic, 1, HOUR)
    places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    await _commit(servers, dead, {places[0]: 1, places[1]: 0})
    await _commit(servers, idle, {places[0]: 3, places[1]: 1})
    groups = ConsumerGroups(KafkaServers(servers), [topic], groups_max=50, request_seconds_max=30)

    found = await _found(groups)

    assert found.keys() == {dead, idle}
    assert found[idle] == GroupState(idle, 0, {topic: 0}, {topic: None})
    assert (found[dead].members, found[dead].waiting) == (0, {topic: 3})
    oldest_ms = found[dead].oldest_ms[topic]
    assert oldest_ms is not None
    age = datetime.now(UTC).timestamp() - oldest_ms / 1000
    assert 2 * HOUR.total_seconds() <= age < 2 * HOUR.total_seconds() + TOLERATED


async def test_a_living_consumer_counts_as_a_member_and_groups_beyond_the_limit_are_counted(
    kafka_bootstrap_servers: str, kafka_prefix: str, topic: str
) -> None:
    servers, place = kafka_bootstrap_servers, TopicPartition(topic, 0)
    names = [f"{kafka_prefix}{name}" for name in ("a", "b", "c")]
    for name in names:
        await _commit(servers, name, {place: 0})
    consumer = _member(servers, names[0])
    consumer.subscribe([topic])
    await consumer.start()
    try:
        found = await ConsumerGroups(
            KafkaServers(servers), [topic], groups_max=2, request_seconds_max=30
        ).find()
    finally:
        await consumer.stop()
    assert [(state.group, state.members) for state in found.groups] == [(names[0], 1), (names[1], 0)]
    assert found.left_out >= 1


async def test_the_gauges_follow_the_groups_and_forget_one_that_is_gone(
    kafka_bootstrap_servers: str, kafka_prefix: str, topic: str
) -> None:
    servers, group = kafka_bootstrap_servers, f"{kafka_prefix}group"
    await _publish(servers, topic, 0, MINUTE)
    await _commit(servers, group, {TopicPartition(topic, 0): 0})
    groups = _Groups(ConsumerGroups(KafkaServers(servers), [topic], groups_max=50, request_seconds_max=30))
    gauges = GroupGauges(groups)  # type: ignore[arg-type]
    take = gauges.measurement(seconds=1, seconds_max=30).take

    await take()

    assert _gauge("consumer_group_lag_events", group=group, topic=topic) == 1
    assert (_gauge("consumer_group_oldest_waiting_seconds", group=group, topic=topic) or 0) >= 60
    assert _gauge("consumer_group_members", group=group) == 0
    groups.are_gone = True
    await take()
    assert _gauge("consumer_group_lag_events", group=group, topic=topic) is None
    assert _gauge("consumer_group_oldest_waiting_seconds", group=group, topic=topic) is None
    assert _gauge("consumer_group_members", group=group) is None


class _Groups:
    """The real ones, until they are gone: a broker deletes a group days after its last commit."""

    def __init__(self, groups: ConsumerGroups) -> None:
        self._groups = groups
        self.are_gone = False

    async def find(self) -> Any:
        found = await self._groups.find()
        return found._replace(groups=[]) if self.are_gone else found
