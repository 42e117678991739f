"""Executes the calls of the protocol on event stores with the real migrations and append functions."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from command_api.postgres.writer_connection import CONNECTION_ERRORS
from shared.contract.recorded_event import EventMetadata
from shared.postgres.sql import load_sql
from tests.servers import DatabaseDsns
from tests.sharding import operations as o
from tests.sharding.checker import Found
from tests.sharding.postgres.calls import Connection, execute_call

_PACKAGE = "tests.sharding.postgres"
_metadata = msgspec.json.Decoder(EventMetadata)


async def prepare_shard(owner_dsn: str) -> None:
    """Add to a migrated event store what a shard needs."""
    await _by_owner(owner_dsn, "reservations_of_shards")


class PostgresShards:
    """One writer's connection to each shard, made when it is needed."""

    def __init__(self, shards: Sequence[DatabaseDsns]) -> None:
        self.dsns = shards
        self._connections: list[Connection | None] = [None] * len(shards)

    async def execute(self, call: o.Call) -> Any:
        """Its result, after its commit."""
        connection = await self._connection(o.shard_of(call))
        async with connection.transaction():
            return await execute_call(connection, call)

    async def execute_without_answer(self, call: o.Call) -> None:
        """It commits, and the connection is gone before the answer."""
        at = o.shard_of(call)
        await self.execute(call)
        await self.drop(at)

    async def end_during(self, call: o.Call) -> None:
        """The server ends the session after the call was executed and before it commits."""
        at = o.shard_of(call)
        connection = await self._connection(at)
        transaction = connection.transaction()
        await transaction.start()
        await execute_call(connection, call)
        await end_sessions(self.dsns[at].writer)
        try:
            await transaction.commit()
        except (OSError, *CONNECTION_ERRORS):
            return
        else:
            raise AssertionError("the session was ended, and has committed")
        finally:
            await self.drop(at)

    async def log(self) -> list[Found]:
        """All events of all shards, as they are stored."""
        found = []
        for at in range(len(self.dsns)):
            rows = await (await self._connection(at)).fetch(load_sql(_PACKAGE, "read_log"))
            for position, product_id, version, event_type, data, metadata in rows:
                key = _metadata.decode(metadata).command_id or ""
                body = msgspec.json.decode(data)
                found.append(Found(at, position, UUID(int=product_id.int), version, event_type, body, key))
        return found

    async def names(self) -> Mapping[str, tuple[UUID, bool]]:
        """All rows of all shards."""
        rows: dict[str, tuple[UUID, bool]] = {}
        for at in range(len(self.dsns)):
            for name, product_id, is_held in await (await self._connection(at)).fetch(
                load_sql(_PACKAGE, "read_names")
            ):
                rows[name] = UUID(int=product_id.int), is_held
        return rows

    async def empty(self) -> None:
        """Remove all products, claims and keys; positions begin at 1 again."""
        for dsns in self.dsns:
            await _by_owner(dsns.owner, "empty_shard")

    async def close(self) -> None:
        """Leave all shards."""
        for at in range(len(self.dsns)):
            await self.drop(at)

    async def _connection(self, at: int) -> Connection:
        connection = self._connections[at]
        if connection is None or connection.is_closed():
            connection = self._connections[at] = await asyncpg.connect(self.dsns[at].writer, ssl=False)
        return connection

    async def drop(self, at: int) -> None:
        """Forget the connection to a shard, whatever it does."""
        connection, self._connections[at] = self._connections[at], None
        if connection is not None:
            connection.terminate()
            await asyncio.sleep(0)  # the loop closes the transport in its next turn


async def end_sessions(dsn: str) -> None:
    """Those of the same role, so that no right of a superuser is needed; afterwards they have ended."""
    connection = await asyncpg.connect(dsn, ssl=False)
    try:
        while await connection.fetchval(load_sql(_PACKAGE, "end_sessions")):
            await asyncio.sleep(0.001)
    finally:
        await connection.close()


async def _by_owner(dsn: str, name: str) -> None:
    connection = await asyncpg.connect(dsn, ssl=False)
    try:
        await connection.execute(load_sql(_PACKAGE, name))
    finally:
        await connection.close()
