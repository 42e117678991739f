"""Composition root of `serve`: everything is wired here, by constructor, and stopped in the reverse order."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

import asyncpg
from uuid_utils.compat import uuid7

from command_api.executing.command_turns import CommandTurns
from command_api.executing.execute import ExecuteCommand
from command_api.executing.known_products import KnownProducts
from command_api.http.answers import WriteApi
from command_api.http.app import WritePort, write_port
from command_api.http.lanes import lane_of, lanes
from command_api.http.routes import BATCH_PATH
from command_api.postgres.append_hint import AppendHint
from command_api.postgres.event_store import PostgresEventStore
from command_api.postgres.group_commit import GroupCommitLimits
from command_api.postgres.import_runs import PostgresImportRuns
from command_api.postgres.maintenance import LogPartitions, purge_of_keys
from command_api.postgres.writer_connection import WriterConnection
from command_api.settings import CommandSettings
from shared.access.guard import Guard
from shared.access.http.operations import protect_operations
from shared.access.source import open_guard
from shared.contract.schemas import EVENT_STORE
from shared.ops.concurrency.waits import stopped
from shared.ops.garbage import spare_started_objects
from shared.ops.health import Health
from shared.ops.http.operations import operations_app
from shared.ops.http.operations_server import serve_operations
from shared.ops.http.server import HttpServer
from shared.ops.logs import get_logger
from shared.ops.metrics.process import build_info
from shared.ops.overload.overload import Overload
from shared.ops.process_names import COMMAND_API
from shared.ops.upkeep import Upkeep
from shared.ops.version import service_version
from shared.ops.watch import watch_process
from shared.postgres.clock_skew import clock_measurement
from shared.postgres.pool import create_pool
from shared.postgres.schema import schema_check
from shared.postgres.session_check import CHECK as WAY
from shared.postgres.session_check import direct_check, session_check
from shared.rate_limits.assembly import api_limits
from shared.redis.ping import redis_check

_log = get_logger(__name__)
PROCESS = COMMAND_API
METHODS = ("POST", "PUT", "PATCH", "DELETE")
# One caller may have a quarter of all requests in flight.
SHARES_OF_CALLERS = 4


async def serve(stop: asyncio.Event, settings: CommandSettings) -> None:
    """Serve commands until `stop`; then finish the requests in flight and write what is queued.

    Raises `PortTaken`. If PostgreSQL is unavailable, or its schema is older than this code, the process
    starts, is not ready, and answers 503; it becomes ready by itself.
    """
    build_info(PROCESS, service_version())
    async with AsyncExitStack() as stack:
        pool = await _pool(settings)
        hint = AppendHint(settings.direct_dsn)
        await hint.start()
        stack.push_async_callback(hint.stop)
        store = _event_store(pool, hint, settings)
        stack.push_async_callback(store.close)

        health = Health(PROCESS)
        health.require(EVENT_STORE.database, schema_check(pool, EVENT_STORE))
        _look_at_the_way(pool, settings, health)
        partitions = LogPartitions(pool, settings.log_partitions_ahead, settings.maintenance_seconds)
        health.tell("log partitions", partitions.check)
        keys = purge_of_keys(pool, settings.maintenance_seconds, settings.expired_keys_per_turn_max)
        measurements = [clock_measurement("event store", pool), partitions.measurement]
        for work in (
            _keep_up([partitions.upkeep, keys], health, stop),
            watch_process(stop, settings, health, measurements),
        ):
            stack.push_async_callback(stopped, asyncio.create_task(work))

        guard = await open_guard(settings, stack, health)
        api = _api(stack, store, PostgresImportRuns(pool), guard, settings, health)
        await serve_operations(
            stack,
            protect_operations(operations_app(health), {}, guard),
            settings,
            port=settings.command_ops_port,
            port_setting="COMMAND_OPS_PORT",
        )
        server = HttpServer(
            api.application,
            host=settings.listen_host,
            port=settings.command_port,
            port_setting="COMMAND_PORT",
            http_limit=settings.requests_in_flight_max,
            protocol=api.protocol,
            limits=settings.connection_limits,
            headers=settings.answer_headers(METHODS),
            overload=Overload(settings.overload_limits, lanes(settings.batches_in_work_max), lane_of),
        )
        stack.push_async_callback(
            server.stop, settings.shutdown_seconds_max / 2, drain_seconds=settings.drain_seconds
        )
        await server.start()
        spare_started_objects()
        _log.info("ready for commands", port=settings.command_port)
        await stop.wait()
        health.drain()


async def _pool(settings: CommandSettings) -> "asyncpg.Pool[asyncpg.Record]":
    return await create_pool(
        settings.event_store_dsn,
        application_name="command-api read",
        size_max=settings.read_connections_max,
        statement_timeout_seconds=settings.read_timeout_seconds,
        connect_timeout_seconds=settings.connect_timeout_seconds,
        pooler=settings.postgres_pooler,
    )


def _look_at_the_way(pool: "asyncpg.Pool[asyncpg.Record]", settings: CommandSettings, health: Health) -> None:
    health.require(WAY, session_check(pool, settings.postgres_pooler))
    if settings.event_store_direct_dsn:
        direct = direct_check(settings.event_store_direct_dsn, "EVENT_STORE_DIRECT_DSN")
        health.require(f"direct {WAY}", direct)


def _api(
    stack: AsyncExitStack,
    store: PostgresEventStore,
    imports: PostgresImportRuns,
    guard: Guard | None,
    settings: CommandSettings,
    health: Health,
) -> WritePort:
    limits = api_limits(
        stack,
        settings,
        usual=settings.writes,
        by_path={BATCH_PATH: settings.imports},
        in_progress_max=settings.requests_in_flight_max // SHARES_OF_CALLERS,
    )
    if limits.has_rates:
        seconds_max = settings.rate_limit_seconds_max
        health.tell("Redis", redis_check(settings.redis_address, stack, seconds_max=seconds_max))
    return write_port(
        WriteApi(_execute(store, settings), settings.product_url, settings.partition_count, imports),
        guard,
        docs_enabled=settings.docs_enabled,
        limits=limits,
        lines_per_second_max=settings.access_lines_per_second_max,
    )


def _execute(store: PostgresEventStore, settings: CommandSettings) -> ExecuteCommand:
    turns = CommandTurns(
        seconds_max=settings.product_queue_seconds_max,
        standing_seconds_max=settings.product_queue_standing_seconds_max,
        key_seconds_max=settings.queue_seconds_max,
    )
    return ExecuteCommand(
        store,
        new_id=uuid7,
        conflict_retries_max=settings.conflict_retries_max,
        turns=turns,
        known_products=KnownProducts(
            products_max=settings.known_products_max, bytes_max=settings.known_products_bytes_max
        ),
    )


def _event_store(
    pool: "asyncpg.Pool[asyncpg.Record]", hint: AppendHint, settings: CommandSettings
) -> PostgresEventStore:
    writer = WriterConnection(
        settings.direct_dsn,
        connect_timeout_seconds=settings.connect_timeout_seconds,
        call_timeout_seconds=settings.append_timeout_seconds,
        recovery_seconds_max=settings.recovery_seconds_max,
    )
    limits = GroupCommitLimits(
        batch_commands_max=settings.batch_commands_max,
        batch_bytes_max=settings.batch_bytes_max,
        queue_commands_max=settings.queue_commands_max,
        queue_bytes_max=settings.queue_bytes_max,
        queue_seconds_max=settings.queue_seconds_max,
    )
    return PostgresEventStore(pool, writer, limits=limits, on_commit=hint.notify)


async def _keep_up(upkeeps: Sequence[Upkeep], health: Health, stop: asyncio.Event) -> None:
    """Only with the schema: on an older one the first turn fails, and the next one is a minute away."""
    if await health.passed(EVENT_STORE.database, stop=stop):
        await asyncio.gather(*(upkeep.run(stop) for upkeep in upkeeps))
