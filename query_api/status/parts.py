"""The parts of the status, wired: it uses the pools of products and of the past, so it adds no connection."""

from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from query_api.http.application import AddRoutes
from query_api.search.reporting import SearchReport
from query_api.settings import QuerySettings
from query_api.status.cache_counts import cache_reads
from query_api.status.http.routes import status_routes
from query_api.status.postgres.log_state import PostgresLogState
from query_api.status.postgres.projection_states import PostgresProjectionStates
from query_api.status.status import TellStatus
from query_api.status.status_history import StatusHistory
from shared.contract.addresses import topics


class StatusParts(NamedTuple):
    """The routes, and the samples that the loop of the process takes."""

    routes: Sequence[AddRoutes]
    history: StatusHistory


def status_parts(
    settings: QuerySettings,
    products: "asyncpg.Pool[asyncpg.Record]",
    log: "asyncpg.Pool[asyncpg.Record]",
    search: SearchReport | None,
) -> StatusParts:
    """`products` and `log` are the pools."""
    topic = topics(settings.kafka_topic_prefix).events
    tell = TellStatus(
        PostgresProjectionStates(products, topic=topic, seconds_max=settings.measurement_seconds_max),
        PostgresLogState(log, seconds_max=settings.status_log_seconds_max),
        cache_reads,
        partition_count=settings.partition_count,
        age_seconds_max=settings.status_age_seconds_max,
    )
    history = StatusHistory(tell, interval_seconds=settings.status_sample_seconds)
    return StatusParts([status_routes(tell, search, history)], history)
