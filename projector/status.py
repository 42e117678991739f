"""How far each projection is, for people and scripts: checkpoints, Kafka's offsets, and the log."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
from aiokafka.errors import KafkaError
from msgspec import Struct

from projector.errors import ProjectorError, Unavailable
from projector.kafka.group_offsets import TopicEnds, topic_ends
from projector.postgres.event_log import PostgresEventLog
from projector.postgres.failures import translated
from shared.contract.addresses import topics
from shared.postgres.pool import create_pool
from shared.postgres.sql import load_sql

if TYPE_CHECKING:
    from projector.settings import ProjectorSettings

# They keep no checkpoints: their position is what their group has committed.
_WITHOUT_CHECKPOINTS = ("product_cache", "notifications")


class PartitionStatus(Struct, frozen=True):
    """One projection in one partition. `lag_events` None: Kafka did not answer.

    Where the committed offset is the only position, the rest is unknown.
    """

    projection: str
    partition: int
    next_offset: int
    lag_events: int | None
    log_position: int | None = None
    log_id: UUID | None = None
    updated_at: datetime | None = None


class Status(Struct, frozen=True):
    """`newest_log_position` None: the event store did not answer; `problems` says what else is unknown."""

    newest_log_position: int | None
    partitions: list[PartitionStatus]
    problems: list[str]


async def print_status(settings: "ProjectorSettings", *, as_json: bool) -> int:
    """Print it; the exit code is 1 when something could not be asked."""
    status = await read_status(settings)
    print(msgspec.json.format(msgspec.json.encode(status)).decode() if as_json else _table(status))  # noqa: T201
    return 1 if status.problems else 0


async def read_status(settings: "ProjectorSettings") -> Status:
    """Ask each server on its own: one that is away leaves its part unknown. Never raises for an outage."""
    problems: list[str] = []
    topic = topics(settings.kafka_topic_prefix).events
    newest = await _newest_position(settings, problems)
    rows = await _checkpoints(settings, topic, problems)
    groups = {f"{settings.kafka_topic_prefix}{name}": name for name in _WITHOUT_CHECKPOINTS}
    ends = TopicEnds({}, {})
    try:
        ends = await topic_ends(settings.kafka_bootstrap_servers, topic, list(groups))
    except (KafkaError, OSError, Unavailable) as error:
        problems.append(f"kafka: {type(error).__name__}: {error}")
    found = [
        PartitionStatus(lag_events=_lag(ends, row["partition"], row["next_offset"]), **row) for row in rows
    ]
    for group, name in groups.items():
        for partition, offset in sorted(ends.committed.get(group, {}).items()):
            found.append(PartitionStatus(name, partition, offset, _lag(ends, partition, offset)))
    return Status(newest, found, problems)


def _lag(ends: TopicEnds, partition: int, next_offset: int) -> int | None:
    end = ends.end_offsets.get(partition)
    return None if end is None else max(0, end - next_offset)


async def _newest_position(settings: "ProjectorSettings", problems: list[str]) -> int | None:
    pool = await _pool(settings, settings.event_store_read_dsn)
    try:
        return await PostgresEventLog(pool).newest_position()
    except ProjectorError as error:
        problems.append(str(error))
        return None
    finally:
        pool.terminate()


async def _checkpoints(
    settings: "ProjectorSettings", topic: str, problems: list[str]
) -> list[dict[str, Any]]:
    pool = await _pool(settings, settings.read_model_dsn)
    try:
        with translated("read model"):
            rows = await pool.fetch(load_sql("projector.postgres", "select_status"), topic)
        return [dict(row) | {"log_id": UUID(int=row["log_id"].int)} for row in rows]
    except ProjectorError as error:
        problems.append(str(error))
        return []
    finally:
        pool.terminate()


async def _pool(settings: "ProjectorSettings", dsn: str) -> Any:
    return await create_pool(
        dsn,
        application_name="projector-status",
        size_max=1,
        statement_timeout_seconds=settings.statement_timeout_seconds,
        connect_timeout_seconds=settings.connect_timeout_seconds,
    )


def _table(status: Status) -> str:
    titles = ("projection", "partition", "next offset", "lag events", "position", "updated at")
    lines = [_line(titles)]
    for one in status.partitions:
        updated_at = one.updated_at.isoformat(timespec="seconds") if one.updated_at else None
        cells = (one.projection, one.partition, one.next_offset, one.lag_events, one.log_position, updated_at)
        lines.append(_line(cells))
    lines.append(f"newest position in the log: {status.newest_log_position}")
    lines.extend(f"unknown: {problem}" for problem in status.problems)
    return "\n".join(lines)


def _line(cells: Sequence[object]) -> str:
    shown = ["-" if cell is None else str(cell) for cell in cells]
    return f"{shown[0]:<16}{shown[1]:>10}{shown[2]:>13}{shown[3]:>12}{shown[4]:>12}  {shown[5]}"
