"""The composition root of the relay: the use case, its adapters, the operations port, log maintenance."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import asyncpg

from command_api.postgres.append_hint import AppendListener
from command_api.postgres.maintenance import LogPartitions
from command_api.relay.kafka.consumer_groups import ConsumerGroups
from command_api.relay.kafka.group_measurement import GroupGauges
from command_api.relay.kafka.publisher import KafkaPublisher, PublisherSettings
from command_api.relay.pace import RelayTimes
from command_api.relay.postgres.log_tail import PostgresLogTail, TailLimits, read_lag
from command_api.relay.relay import Relay, RelayStatus
from command_api.relay.settings import RelaySettings
from shared.access.http.operations import protect_operations
from shared.access.source import open_guard
from shared.contract.addresses import state_topic, topics
from shared.contract.schemas import EVENT_STORE
from shared.kafka.topics import TopicSpec
from shared.ops.garbage import spare_started_objects
from shared.ops.health import Health, OnlyAnOperatorHelps
from shared.ops.http.operations import operations_app
from shared.ops.http.operations_server import serve_operations
from shared.ops.measuring import Measurement, unknown
from shared.ops.metrics.process import build_info
from shared.ops.metrics.relay import RELAY_LAG_EVENTS, RELAY_LAG_SECONDS
from shared.ops.process_names import RELAY
from shared.ops.version import service_version
from shared.ops.watch import watch_process
from shared.postgres.clock_skew import clock_measurement
from shared.postgres.pool import create_pool
from shared.postgres.schema import schema_check
from shared.postgres.session_check import CHECK as WAY
from shared.postgres.session_check import session_check

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]

PROCESS = RELAY

_POOL_CONNECTIONS_MAX = 2
# One round of the loop takes at most the sum of its limits; after twice as long it counts as stuck.
_SILENCE_MARGIN = 2.0


class LogOrKafkaIsAway(Exception):
    """Why nothing is published now; it ends by itself."""


async def run_relay(stop: asyncio.Event, settings: RelaySettings) -> None:
    """Relay until `stop`; then finish the chunk in flight, save the cursor and free the lock.

    Waits while PostgreSQL or Kafka is unavailable, or the schema is older than this code. Raises `PortTaken`
    and every other error.
    """
    build_info(PROCESS, service_version())
    health = Health(PROCESS)
    async with AsyncExitStack() as resources:
        pool = await create_pool(
            settings.event_store_dsn,
            application_name="catalogue-relay-upkeep",
            size_max=_POOL_CONNECTIONS_MAX,
            statement_timeout_seconds=settings.relay_statement_seconds_max,
            connect_timeout_seconds=settings.relay_statement_seconds_max,
        )
        resources.callback(pool.terminate)
        listener = AppendListener(settings.event_store_dsn)
        resources.push_async_callback(listener.stop)
        beat = health.expect_progress("relay", _silence_seconds_max(settings)).beat
        relay = _relay(settings, listener, beat)
        partitions = LogPartitions(
            pool, settings.log_partitions_ahead, settings.relay_partitions_interval_seconds
        )
        health.require(EVENT_STORE.database, schema_check(pool, EVENT_STORE))
        health.require(WAY, session_check(pool, "none"))
        health.require("publishing", _publishing(relay.status))
        health.tell("log partitions", partitions.check)
        measurements = [*_measurements(settings, pool), partitions.measurement]
        await serve_operations(
            resources,
            protect_operations(operations_app(health), {}, await open_guard(settings, resources)),
            settings,
            port=settings.relay_ops_port,
            port_setting="RELAY_OPS_PORT",
        )
        await listener.start()
        spare_started_objects()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(watch_process(stop, settings, health, measurements))
            tasks.create_task(_drain(stop, health))
            # Until the schema is there, the relay of the last release goes on and keeps its lock.
            if not await health.passed(EVENT_STORE.database, WAY, stop=stop, meanwhile=beat):
                return
            tasks.create_task(relay.run(stop), name="relay")
            tasks.create_task(partitions.upkeep.run(stop))


def _silence_seconds_max(settings: RelaySettings) -> float:
    return (
        settings.relay_start_seconds_max
        + settings.relay_send_seconds_max
        + settings.relay_stop_seconds_max
        + settings.relay_statement_seconds_max
        + settings.relay_operator_wait_seconds
    ) * _SILENCE_MARGIN


def _relay(settings: RelaySettings, listener: AppendListener, beat: Callable[[], None]) -> Relay:
    limits = TailLimits(
        settings.relay_chunk_events_max, settings.relay_chunk_bytes_max, settings.relay_statement_seconds_max
    )
    publisher = _publisher_settings(settings)
    return Relay(
        open_log=lambda: PostgresLogTail.open(settings.event_store_dsn, limits),
        new_publisher=lambda log_id: KafkaPublisher(publisher, log_id),
        appended=listener,
        times=RelayTimes(
            poll_min=settings.relay_poll_seconds_min,
            poll_max=settings.relay_poll_seconds_max,
            hinted_poll_max=settings.relay_hinted_poll_seconds_max,
            chunk_interval=settings.relay_chunk_interval_seconds_min,
            lock_wait=settings.relay_lock_wait_seconds,
            retry_initial=settings.relay_retry_seconds_initial,
            retry_max=settings.relay_retry_seconds_max,
            operator_wait=settings.relay_operator_wait_seconds,
            check=settings.relay_check_seconds,
        ),
        beat=beat,
    )


def _measurements(settings: RelaySettings, pool: "Pool") -> list[Measurement]:
    """Standby relays measure, too: their answers are the same, and one of them may be the last to live."""
    names = topics(settings.kafka_topic_prefix)
    groups = ConsumerGroups(
        settings.kafka_servers,
        [*names, state_topic(settings.kafka_topic_prefix)],
        groups_max=settings.consumer_groups_max,
        request_seconds_max=settings.relay_start_seconds_max,
    )
    return [
        clock_measurement("event store", pool),
        _lag(settings, pool),
        GroupGauges(groups).measurement(
            seconds=settings.consumer_groups_interval_seconds,
            seconds_max=settings.consumer_groups_seconds_max,
        ),
    ]


def _publisher_settings(settings: RelaySettings) -> PublisherSettings:
    names = topics(settings.kafka_topic_prefix)
    return PublisherSettings(
        servers=settings.kafka_servers,
        topics=[
            TopicSpec(name, settings.partition_count, settings.kafka_replication_factor) for name in names
        ],
        topics_of=lambda event_type: (names.events, names.by_kind(event_type)),
        partition_count=settings.partition_count,
        start_seconds_max=settings.relay_start_seconds_max,
        send_seconds_max=settings.relay_send_seconds_max,
        stop_seconds_max=settings.relay_stop_seconds_max,
    )


def _publishing(status: RelayStatus) -> Callable[[], Awaitable[None]]:
    async def check() -> None:
        """A standby is ready without Kafka, because it sends nothing."""
        if status.operator_needed is not None:
            raise OnlyAnOperatorHelps(status.operator_needed)
        if status.is_active and not status.is_forwarding:
            raise LogOrKafkaIsAway("active, but not connected to Kafka, or its topics are not verified")
        if not status.is_active and not status.is_standby:
            raise LogOrKafkaIsAway("neither active nor standby: it waits for the event store")

    return check


def _lag(settings: RelaySettings, pool: "Pool") -> Measurement:
    """Read from the log by active and standby relays."""

    async def take() -> None:
        lag = await read_lag(pool)
        RELAY_LAG_EVENTS.set(lag.events)
        RELAY_LAG_SECONDS.set(lag.seconds)

    return Measurement(
        "relay lag",
        take,
        settings.relay_report_interval_seconds,
        settings.relay_statement_seconds_max,
        lambda: unknown([RELAY_LAG_EVENTS, RELAY_LAG_SECONDS]),
    )


async def _drain(stop: asyncio.Event, health: Health) -> None:
    await stop.wait()
    health.drain()
