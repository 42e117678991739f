"""Runs the query API with its two ports, from start to stop."""

import asyncio
from contextlib import AsyncExitStack

from query_api.assembly import PROCESS, query_api
from query_api.search.http import OPERATOR_SCOPES, operator_endpoints
from query_api.settings import QuerySettings
from shared.access.http.operations import protect_operations
from shared.contract.schemas import EVENT_STORE, READ_MODEL
from shared.ops.garbage import spare_started_objects
from shared.ops.health import Health
from shared.ops.http.operations import operations_app
from shared.ops.http.operations_server import serve_operations
from shared.ops.metrics.process import build_info
from shared.ops.version import service_version
from shared.ops.watch import watch_process
from shared.postgres.schema import schema_check
from shared.postgres.session_check import CHECK as WAY
from shared.postgres.session_check import CUSTOM_PLANS, session_check
from shared.redis.ping import redis_check


async def serve(settings: QuerySettings, stop: asyncio.Event) -> None:
    """Run until `stop`; requests in flight then have most of the shutdown time to finish."""
    build_info(PROCESS, service_version())
    health = Health(PROCESS)
    async with query_api(settings) as api, AsyncExitStack() as stack:
        health.require(READ_MODEL.database, schema_check(api.products, READ_MODEL))
        health.require(WAY, session_check(api.products, settings.postgres_pooler, CUSTOM_PLANS))
        # Only the past of products needs it.
        health.tell(EVENT_STORE.database, schema_check(api.log, EVENT_STORE))
        seconds_max = settings.redis_seconds_max
        health.tell("Redis", redis_check(settings.redis_address, stack, seconds_max=seconds_max))
        if api.guard is not None:
            health.require("keys of tokens", api.guard.check)
        measurements = [*api.measurements]
        measurements += api.search.watched_by(health)
        await stack.enter_async_context(api.search.running())
        endpoints = operator_endpoints(api.search.rebuild)
        await serve_operations(
            stack,
            protect_operations(operations_app(health, endpoints), OPERATOR_SCOPES, api.guard),
            settings,
            port=settings.query_ops_port,
            port_setting="QUERY_OPS_PORT",
        )
        server = api.server(host=settings.listen_host, port=settings.query_port)
        stack.push_async_callback(
            server.stop, settings.shutdown_seconds_max * 0.75, drain_seconds=settings.drain_seconds
        )
        await server.start()
        spare_started_objects()
        watching = asyncio.create_task(watch_process(stop, settings, health, measurements))
        await stop.wait()
        health.drain()
        api.events.stop()
        await watching
