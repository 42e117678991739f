"""Wires the export: with a pool of its own, because each export keeps its connection for minutes."""

from contextlib import AsyncExitStack

from query_api.consistency.http import WaitLimits
from query_api.consistency.visibility import Visibility
from query_api.export.export import ExportCatalogue
from query_api.export.http.routes import export_routes
from query_api.export.postgres.snapshots import PostgresSnapshots
from query_api.http.application import AddRoutes
from query_api.settings import QuerySettings
from shared.contract.addresses import topics
from shared.ops.process_names import QUERY_API
from shared.postgres.pool import create_pool

# An export ends on our side first, with its own error; PostgreSQL ends it if this process cannot.
_GRACE_SECONDS = 10.0


async def export_route(
    settings: QuerySettings, visibility: Visibility, limits: WaitLimits, stack: AsyncExitStack
) -> AddRoutes:
    """The route. `visibility` is that of `product_view`."""
    seconds_max = settings.export_seconds_max + _GRACE_SECONDS
    pool = await create_pool(
        settings.read_model_dsn,
        application_name=f"{QUERY_API}-exports",
        size_max=settings.exports_max,
        # Of all that comes before the COPY: a server that does not answer shows at the BEGIN.
        statement_timeout_seconds=settings.table_seconds_max,
        connect_timeout_seconds=settings.table_connect_seconds_max,
        pooler=settings.postgres_pooler,
    )
    stack.push_async_callback(pool.close)
    snapshots = PostgresSnapshots(
        pool,
        topic=topics(settings.kafka_topic_prefix).events,
        partition_count=settings.partition_count,
        seconds_max=seconds_max,
    )
    export = ExportCatalogue(
        snapshots,
        visibility,
        exports_max=settings.exports_max,
        seconds_max=settings.export_seconds_max,
    )
    return export_routes(export, limits)
