"""The status of each projection, for operators: checkpoints, Kafka's offsets, the state that its consumers
report, dead letters, and the end of the log.

Each server is asked separately. One that cannot be reached makes only its own part unknown.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from projector.applying.postgres import PostgresEventLog
from projector.control.ports import NEVER_PAUSED, Control, ParkedCount
from projector.control.postgres import PostgresControl
from projector.errors import ProjectorError, Unavailable
from projector.kafka.group_offsets import TopicEnds, topic_ends
from projector.kafka.lag_in_log import CountedLag, count_lag
from projector.kafka.placement import STOPPED
from projector.postgres.failures import translated
from projector.projections import NAMES, default_projections
from projector.views.product_cache.redis.beginnings import CacheBeginning, last_beginning
from shared.contract.addresses import topics
from shared.kafka.errors import KAFKA_IS_AWAY
from shared.ops.error_text import named
from shared.ops.secret import Secret
from shared.postgres.pool import create_pool
from shared.postgres.sql import load_sql
from shared.redis.client import create_redis

if TYPE_CHECKING:
    from projector.settings import ProjectorSettings

State = Literal["running", "waiting", "stopped", "paused", "unknown"]
"""waiting: continues by itself. stopped: an operator has to act. unknown: some partitions have not reported.
"""

# Consumers report once a second.
MEASUREMENT_SECONDS_MAX = 5.0
_NOTHING_PARKED = ParkedCount(0, 0, 0.0)


class PartitionStatus(Struct, frozen=True):
    """One projection in one partition. `lag_events` None: nobody tells it. `lag_source` "log": it was counted
    in the log, or is what the consumer reported last, because Kafka does not tell it now.

    For a projection without checkpoints, `next_offset` is what its group committed. `trouble`: why it does
    not go on now.
    """

    projection: str
    partition: int
    next_offset: int
    lag_events: int | None
    log_position: int | None = None
    log_id: UUID | None = None
    updated_at: datetime | None = None
    measured_at: datetime | None = None
    trouble: str | None = None
    lag_source: Literal["kafka", "log"] | None = None


class ProjectionStatus(Struct, frozen=True):
    """One projection over all its partitions; None: the server with this value did not answer."""

    projection: str
    state: State
    reason: str | None
    lag_events: int | None
    parked_products: int | None
    parked_events: int | None
    parked_oldest_seconds: float | None


class Status(Struct, frozen=True):
    """`newest_log_position` None: the event store did not answer; `problems` says what else is unknown."""

    newest_log_position: int | None
    projections: list[ProjectionStatus]
    partitions: list[PartitionStatus]
    problems: list[str]
    cache_started_anew: CacheBeginning | None = None
    """None: it was not, or Redis does not answer; of that the state of `product_cache` tells."""


class _Tables(NamedTuple):
    """The read model's part. `rows` are those of `select_status.sql`."""

    rows: Sequence[Mapping[str, Any]]
    wanted: Mapping[str, Control]
    parked: Mapping[str, ParkedCount]


async def read_status(settings: "ProjectorSettings") -> Status:
    """Never raises for an outage."""
    problems: list[str] = []
    topic = topics(settings.kafka_topic_prefix).events
    newest = await _newest_position(settings, problems)
    tables = await _read_model(settings, topic, problems)
    groups = {f"{settings.kafka_topic_prefix}{name}": name for name in NAMES}
    ends = TopicEnds({}, {})
    try:
        ends = await topic_ends(settings.kafka_servers, topic, list(groups))
    except (*KAFKA_IS_AWAY, Unavailable) as error:
        problems.append(f"kafka: {named(error)}")
    committed = {groups[group]: offsets for group, offsets in ends.committed.items()}
    rows = {(row["projection"], row["partition"]): row for row in tables.rows} if tables else {}
    places = {*rows, *((name, partition) for name in committed for partition in committed[name])}
    partitions = [
        _partition(name, partition, rows.get((name, partition), {}), committed.get(name, {}), ends)
        for name, partition in sorted(places)
    ]
    if not all(one.lag_source for one in partitions):
        partitions = await _counted(settings, partitions, problems)
    expected = [one.name for one in default_projections(settings)]
    names = [*expected, *sorted({name for name, _ in places} - set(expected))]
    found = [_projection(name, tables, partitions, settings.partition_count) for name in names]
    return Status(newest, found, partitions, problems, await _cache_started_anew(settings))


def _partition(
    name: str, partition: int, row: Mapping[str, Any], committed: Mapping[int, int], ends: TopicEnds
) -> PartitionStatus:
    kept = row.get("next_offset")
    kept = committed.get(partition) if kept is None else kept
    next_offset = row["measured_next_offset"] if kept is None else kept
    end = ends.end_offsets.get(partition)
    lag_events: int | None = None
    source: Literal["kafka", "log"] | None = None
    if end is not None and kept is not None and end >= kept:
        lag_events, source = end - kept, "kafka"
    elif row.get("is_fresh"):
        # Outside of the topic, or its place is lost: its consumer has counted in the log.
        lag_events, source = row["lag_events"], "log"
    log_id = row.get("log_id")
    return PartitionStatus(
        name,
        partition,
        next_offset,
        lag_events,
        row.get("log_position"),
        None if log_id is None else UUID(int=log_id.int),
        row.get("updated_at"),
        row.get("measured_at"),
        row["trouble"] if row.get("is_fresh") else None,
        source,
    )


async def _counted(
    settings: "ProjectorSettings", partitions: Sequence[PartitionStatus], problems: list[str]
) -> list[PartitionStatus]:
    """Where neither Kafka nor a consumer tells the lag, it is counted in the log."""
    pool = await _pool(settings, settings.event_store_read_dsn)
    counts: dict[str, Mapping[int, CountedLag]] = {}
    try:
        for name in {one.projection for one in partitions if not one.lag_source}:
            positions = {one.partition: one.log_position or 0 for one in partitions if one.projection == name}
            counts[name] = await count_lag(PostgresEventLog(pool), positions, settings.partition_count)
    except ProjectorError as error:
        problems.append(str(error))
    finally:
        pool.terminate()
    return [
        one if one.lag_source or one.partition not in counts.get(one.projection, {})
        else replace(one, lag_events=counts[one.projection][one.partition].lag_events, lag_source="log")
        for one in partitions
    ]  # fmt: skip


def _projection(
    name: str, tables: _Tables | None, partitions: Sequence[PartitionStatus], partition_count: int
) -> ProjectionStatus:
    lags = [one.lag_events for one in partitions if one.projection == name]
    lag_events = None if not lags or None in lags else sum(lag or 0 for lag in lags)
    if tables is None:
        return ProjectionStatus(name, "unknown", None, lag_events, None, None, None)
    control = tables.wanted.get(name, NEVER_PAUSED)
    fresh = [row for row in tables.rows if row["projection"] == name and row["is_fresh"]]
    troubles = sorted({row["trouble"] for row in fresh if row["trouble"] is not None})
    state: State = "running"
    if control.is_paused:
        state, troubles = "paused", [control.reason]
    elif any(trouble.startswith(STOPPED) for trouble in troubles):
        state = "stopped"
    elif len(fresh) < partition_count:
        state = "unknown"
        silent = partition_count - len(fresh)
        troubles.append(
            f"{silent} of {partition_count} partitions have not reported for {MEASUREMENT_SECONDS_MAX:.0f} s"
        )
    elif troubles:
        state = "waiting"
    parked = tables.parked.get(name, _NOTHING_PARKED)
    return ProjectionStatus(name, state, "; ".join(troubles) or None, lag_events, *parked)


async def _newest_position(settings: "ProjectorSettings", problems: list[str]) -> int | None:
    pool = await _pool(settings, settings.event_store_read_dsn)
    try:
        return await PostgresEventLog(pool).newest_position()
    except ProjectorError as error:
        problems.append(str(error))
        return None
    finally:
        pool.terminate()


async def _read_model(settings: "ProjectorSettings", topic: str, problems: list[str]) -> _Tables | None:
    pool = await _pool(settings, settings.read_model_dsn)
    board = PostgresControl(pool)
    try:
        with translated("read model"):
            rows = await pool.fetch(
                load_sql("projector.operators", "select_status"), topic, MEASUREMENT_SECONDS_MAX
            )
        return _Tables(rows, await board.wanted(), await board.counts())
    except ProjectorError as error:
        problems.append(str(error))
        return None
    finally:
        pool.terminate()


async def _cache_started_anew(settings: "ProjectorSettings") -> CacheBeginning | None:
    seconds_max = settings.redis_timeout_seconds
    redis = create_redis(
        settings.redis_address,
        socket_timeout_seconds=seconds_max,
        connect_timeout_seconds=seconds_max,
        connections_max=1,
    )
    try:
        return await last_beginning(redis, settings.redis_key_prefix)
    except Unavailable:
        return None
    finally:
        await redis.aclose()


async def _pool(settings: "ProjectorSettings", dsn: Secret) -> Any:
    return await create_pool(
        dsn,
        application_name="projector-status",
        size_max=1,
        statement_timeout_seconds=settings.statement_timeout_seconds,
        connect_timeout_seconds=settings.connect_timeout_seconds,
    )
