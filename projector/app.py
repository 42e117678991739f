"""Starts the projector's parts (pools, projections, consumers, operations port) and stops them in order."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial

from faststream.kafka import KafkaBroker

from projector.applying.postgres import PostgresEventLog
from projector.audit.log_lines import AuditLogLines
from projector.audit.postgres import PostgresAuditLog
from projector.control.loop import ControlLoop
from projector.control.postgres import PostgresControl
from projector.kafka.batches import create_broker, shared_reader
from projector.kafka.consumer import ProjectionConsumer
from projector.kafka.joining import Joining, beat
from projector.kafka.lags import REPORT_SECONDS_MAX, LogCount
from projector.kafka.lost_answers import watch_answers
from projector.kafka.running import Background, Running, Subscription
from projector.kafka.shared_reader import SharedReader
from projector.kafka.starting_points import StartingPoints
from projector.operators.assembly import operations
from projector.operators.http.endpoints import OPERATOR_SCOPES, operator_endpoints
from projector.parking.kafka import DeadLetterCopies
from projector.parking.postgres.dead_letters import PostgresDeadLetters
from projector.projection import Projection
from projector.projections import rebuildable
from projector.rebuild.postgres.progress import rebuild_measurement
from projector.rebuild.postgres.verifications import PostgresVerifications
from projector.rebuild.verification_gauges import verification_measurement
from projector.settings import ProjectorSettings
from projector.stores import Stores, open_stores
from projector.webhooks.parts import webhook_loop
from shared.access.http.operations import protect_operations
from shared.access.source import open_guard
from shared.contract.schemas import EVENT_STORE, READ_MODEL
from shared.ops.concurrency.waits import stopped
from shared.ops.garbage import spare_started_objects
from shared.ops.health import Health
from shared.ops.http.operations import operations_app
from shared.ops.http.operations_server import serve_operations
from shared.ops.logs import get_logger
from shared.ops.measuring import Measurement
from shared.ops.metrics.process import build_info
from shared.ops.process_names import PROJECTOR
from shared.ops.version import service_version
from shared.ops.watch import watch_process
from shared.postgres.clock_skew import clock_measurement
from shared.postgres.schema import schema_check
from shared.postgres.session_check import CHECK as WAY
from shared.postgres.session_check import direct_check
from shared.redis.ping import redis_check

PROCESS = PROJECTOR
# One batch at a time per projection, parking included; the rest is for health checks and control. The bound
# is what deploy/kustomize/README.md counts with. A task without a free connection waits; none holds two.
_POOL_CONNECTIONS_SPARE, POOL_CONNECTIONS_MAX = 4, 8
_DATABASES = READ_MODEL.database, EVENT_STORE.database
_log = get_logger(__name__)


async def run_projector(
    settings: ProjectorSettings, chosen: Sequence[Projection], stop: asyncio.Event, *, webhooks: bool = False
) -> None:
    """Run these projections, and the delivery of webhooks, until `stop`. Raises only errors that prevent a
    start, such as a port in use.

    It joins no consumer group before both databases have the schema of this code: until then the processes of
    the last release keep all partitions.
    """
    build_info(PROCESS, service_version())
    health = Health(PROCESS)
    async with AsyncExitStack() as stack:
        connections_max = min(2 * len(chosen) + _POOL_CONNECTIONS_SPARE, POOL_CONNECTIONS_MAX)
        stores = await open_stores(settings, connections_max, stack)
        server = await serve_operations(
            stack,
            protect_operations(
                operations_app(health, operator_endpoints(operations(stores))),
                OPERATOR_SCOPES,
                await open_guard(settings, stack),
            ),
            settings,
            port=settings.projector_ops_port,
            port_setting="PROJECTOR_OPS_PORT",
        )
        broker, joining = create_broker(settings), Joining()
        reader = _reader(chosen, stores)
        _check_stores(health, stores)
        projections = [one.running(stores) for one in chosen]
        consumers = [
            _consumer(one.name, subscription, stores, broker, joining, health, reader)
            for one in projections
            for subscription in one.subscriptions
        ]
        background = _background(projections, stores, health, webhooks=webhooks)
        watch = watch_process(stop, settings, health, _measurements(stores))
        stack.push_async_callback(stopped, asyncio.create_task(watch))
        if not await health.passed(*_DATABASES, stop=stop, meanwhile=partial(beat, consumers)):
            return
        control = ControlLoop(PostgresControl(stores.read_model), [*consumers, *background])
        work = [
            control.run(stop),
            AuditLogLines(PostgresAuditLog(stores.read_model)).run(stop),
            _dead_letter_copies(chosen, stores).run(),
            watch_answers(broker, reader, settings.kafka_answer_seconds_max),
            *([] if reader is None else [reader.run()]),
            *(part.run() for part in background),
        ]
        for task in map(asyncio.create_task, work):
            stack.push_async_callback(stopped, task)
        if await joining.join(broker, settings, [one.topics for one in projections], consumers, stop):
            spare_started_objects()
            _log.info("started", projections=[one.name for one in chosen], ops_port=server.port)
            await stop.wait()
        health.drain()
        await asyncio.gather(*(consumer.stop() for consumer in consumers))
        await broker.stop()


def _consumer(
    name: str,
    subscription: Subscription,
    stores: Stores,
    broker: KafkaBroker,
    joining: Joining,
    health: Health,
    reader: SharedReader | None,
) -> ProjectionConsumer:
    settings = stores.settings
    log = PostgresEventLog(stores.log_pool)
    reports = partial(
        PostgresControl(stores.read_model).last_reports,
        name, subscription.source.topic, seconds_max=REPORT_SECONDS_MAX,
    )  # fmt: skip
    count = LogCount(log, subscription.orders.reported, reports, settings.partition_count)
    consumer = ProjectionConsumer(
        name,
        broker,
        settings,
        subscription.source,
        subscription.work,
        StartingPoints(
            name,
            subscription.work.place,
            stores.log,
            subscription.orders,
            starts_at=subscription.source.starts_at,
            bounds_seconds_max=settings.topic_bounds_seconds_max,
            placed=subscription.placed,
        ),
        # What waits in a retry topic is no event of the log.
        count=count if subscription.source.topic == stores.topic else None,
        metrics=subscription.metrics,
        heartbeat=health.expect_progress(subscription.label, settings.silence_seconds_max),
        # A retry topic is read by one projection.
        reader=reader if subscription.source.topic == stores.topic else None,
    )
    health.require(subscription.label, joining.then(consumer.check))
    return consumer


def _background(
    projections: Sequence[Running], stores: Stores, health: Health, *, webhooks: bool
) -> Sequence[Background]:
    """What runs beside the consumers."""
    parts: list[Background] = [part for one in projections for part in one.background]
    if webhooks:
        parts.append(webhook_loop(stores))
    for part in parts:
        health.require(f"{part.name} {part.topic}", part.check)
    for name, check in (server for one in projections for server in one.servers.items()):
        health.tell(name, check)
    return parts


def _reader(chosen: Sequence[Projection], stores: Stores) -> SharedReader | None:
    """For one projection alone it would only be a second consumer."""
    return shared_reader(stores.settings, stores.topic) if len(chosen) > 1 else None


def _dead_letter_copies(chosen: Sequence[Projection], stores: Stores) -> DeadLetterCopies:
    groups = {one.name: one.source(stores).group for one in chosen}
    return DeadLetterCopies(PostgresDeadLetters(stores.read_model), stores.settings, groups, [stores.topic])


def _measurements(stores: Stores) -> list[Measurement]:
    views = rebuildable(stores.settings)
    return [
        clock_measurement("read model", stores.read_model),
        clock_measurement("event store", stores.log_pool),
        rebuild_measurement(stores.read_model, views),
        verification_measurement(PostgresVerifications(stores.read_model), views),
    ]


def _check_stores(health: Health, stores: Stores) -> None:
    for pool, schema in ((stores.read_model, READ_MODEL), (stores.log_pool, EVENT_STORE)):
        health.require(schema.database, schema_check(pool, schema))
    settings = stores.settings
    for setting, dsn in (
        ("READ_MODEL_DSN", settings.read_model_dsn),
        ("EVENT_STORE_READ_DSN", settings.event_store_read_dsn),
    ):
        health.require(f"{WAY}, {setting}", direct_check(dsn, setting))
    seconds_max = stores.settings.redis_timeout_seconds
    health.tell("Redis", redis_check(stores.settings.redis_address, stores.stack, seconds_max=seconds_max))
