"""The parts of the status, wired: it uses the pools of products and of the past, so it adds no connection."""

from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from query_api.cursors import Cursors
from query_api.http.application import AddRoutes
from query_api.postgres.bounded_reads import BoundedReads
from query_api.search.reporting import SearchReport
from query_api.settings import QuerySettings
from query_api.status.cache_counts import cache_reads
from query_api.status.dead_letters import ListDeadLetters
from query_api.status.http.operator_routes import operator_routes
from query_api.status.http.routes import status_routes
from query_api.status.places import Glance, TellPlaces
from query_api.status.ports import DeadLetterPosition
from query_api.status.postgres.dead_letters import PostgresDeadLetters
from query_api.status.postgres.log_state import PostgresLogState
from query_api.status.postgres.product_places import PostgresProductPlaces, PostgresStreamPlaces
from query_api.status.postgres.projection_states import PostgresProjectionStates, age_measurement
from query_api.status.status import TellStatus
from query_api.status.status_history import StatusHistory
from shared.contract.addresses import topics
from shared.ops.measuring import Measurement

_CACHE_PROJECTION = "product_cache"


class LookReads(NamedTuple):
    """What looks at single products and dead letters: the bulkheads, and the cache."""

    read_model: BoundedReads
    log: BoundedReads
    glance: Glance


class StatusParts(NamedTuple):
    """The routes, and what the loop of the process measures and samples."""

    routes: Sequence[AddRoutes]
    measurements: Sequence[Measurement]


def status_parts(
    settings: QuerySettings,
    products: "asyncpg.Pool[asyncpg.Record]",
    log: "asyncpg.Pool[asyncpg.Record]",
    search: SearchReport | None,
    looks: LookReads,
) -> StatusParts:
    """`products` and `log` are the pools."""
    topic = topics(settings.kafka_topic_prefix).events
    partition_count = settings.partition_count
    tell = TellStatus(
        PostgresProjectionStates(products, topic=topic, seconds_max=settings.measurement_seconds_max),
        PostgresLogState(log, seconds_max=settings.status_log_seconds_max),
        cache_reads,
        partition_count=partition_count,
        age_seconds_max=settings.status_age_seconds_max,
    )
    history = StatusHistory(tell, interval_seconds=settings.status_sample_seconds)
    key = settings.cursor_signing_key.read().encode()
    letters = ListDeadLetters(PostgresDeadLetters(looks.read_model), Cursors(key, DeadLetterPosition))
    places = TellPlaces(
        PostgresStreamPlaces(looks.log),
        PostgresProductPlaces(looks.read_model, topic=topic, partition_count=partition_count),
        looks.glance,
        cache_projection=_CACHE_PROJECTION,
    )
    return StatusParts(
        [status_routes(tell, search, history), operator_routes(letters, places)],
        [age_measurement(products), history.measurement()],
    )
