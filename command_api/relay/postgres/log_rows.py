"""Code that relay and replay share: rows of the log to events, log id, cursor, translation of driver
errors.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import asyncpg
import msgspec

from command_api.relay.ports import LogUnavailable, OperatorNeeded
from shared.contract.recorded_event import EventMetadata, RecordedEvent
from shared.ops.error_text import named
from shared.postgres.errors import is_unavailable
from shared.postgres.sql import load_sql

RELAY_NAME = "kafka"
"""A row of catalogue.relay_cursor."""
_SQL = "command_api.relay.postgres"
_decode_metadata = msgspec.json.Decoder(EventMetadata).decode


def recorded(rows: Sequence[asyncpg.Record]) -> list[RecordedEvent]:
    """The events before the first row that cannot be read; raises only if the first row cannot be read."""
    events: list[RecordedEvent] = []
    for position, product_id, stream_version, event_type, schema_version, data, metadata, recorded_at in rows:
        try:
            decoded = _decode_metadata(metadata)
        except msgspec.MsgspecError as error:
            if events:
                break
            raise OperatorNeeded(
                f"the metadata of the event at position {position} is broken: {error}"
            ) from error
        events.append(
            RecordedEvent(
                position, product_id, stream_version, event_type, schema_version, data, decoded, recorded_at
            )
        )
    return events


async def read_log_id(connection: "asyncpg.Connection[asyncpg.Record]") -> bytes:
    """The event store's UUID as ASCII text."""
    return str(await connection.fetchval(load_sql(_SQL, "read_log_id"))).encode()


async def read_relay_cursor(connection: "asyncpg.Connection[asyncpg.Record]") -> int:
    """The log position up to which Kafka has confirmed everything; 0 before the relay's first start."""
    return int(await connection.fetchval(load_sql(_SQL, "read_relay_cursor"), RELAY_NAME) or 0)


async def refuse_removed(connection: "asyncpg.Connection[asyncpg.Record]", after: int, upto: int) -> None:
    """Raises `OperatorNeeded` if positions after the one and up to the other are in a removed partition.

    Call it after a read: a removal is noted in the log before the partition disappears.
    """
    row = await connection.fetchrow(load_sql(_SQL, "find_removed_partition"), after, upto)
    if row is not None:
        raise OperatorNeeded(
            f"positions {row['lower_position']} to {row['last_position']} of the log are archived and "
            f"removed: bring them back with `python -m command_api restore-log {row['partition_name']}`"
        )


@contextmanager
def translated() -> Iterator[None]:
    """Turns driver errors of an unavailable server into `LogUnavailable`; any other error is a bug or a
    missing migration.
    """
    try:
        yield
    except Exception as error:
        if not is_unavailable(error):
            raise
        raise LogUnavailable(named(error)) from error
