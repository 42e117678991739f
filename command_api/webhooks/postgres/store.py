"""Adapter of `WebhookStore`: the streams of endpoints in the event store."""

from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from msgspec.structs import replace

from command_api.executing.ports import OutcomeUnknown, StoreUnavailable
from command_api.webhooks.ports import Append, Outcome, Stored
from command_api.webhooks.postgres.fetching import PoolFetches
from shared.postgres.errors import is_transient, is_unavailable
from shared.postgres.sql import load_sql
from shared.webhooks.endpoint import decoded, encoded

_SQL = "command_api.webhooks.postgres"


class _Lost(Exception):
    """The connection was lost during the call: it may have been written."""


class PostgresWebhookStore:
    """Endpoints change rarely, so each append is a call of its own on the pool of reads."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool
        self._reads = PoolFetches(pool, store_unavailable)

    async def find(self, endpoint_id: UUID) -> Stored | None:
        rows = await self._reads.fetch(load_sql(_SQL, "find_endpoint"), endpoint_id)
        if not rows:
            return None
        found_id, stream_version, owner, document = rows[0]
        return Stored(found_id, stream_version, owner, decoded(document))

    async def append(self, append: Append, endpoints_max: int) -> Outcome:
        """A call that may have been lost is made again: it conflicts with itself if it was written."""
        try:
            return await self._call(append, endpoints_max)
        except _Lost:
            pass
        try:
            outcome = await self._call(append, endpoints_max)
            return "appended" if outcome == "appended" or await self._is_written(append) else outcome
        except (_Lost, StoreUnavailable) as error:
            text = "the connection to the event store was lost during the call; look whether it was written"
            raise OutcomeUnknown(text) from error

    async def _call(self, append: Append, endpoints_max: int) -> Outcome:
        decision = append.decision
        arguments = (
            append.endpoint_id,
            append.expected_version,
            [event.event_type for event in decision.events],
            [msgspec.json.encode(event.data).decode() for event in decision.events],
            append.actor,
            append.owner,
            decision.is_deleted,
            encoded(decision.document),
            endpoints_max,
        )
        try:
            connection = await self._pool.acquire()
        except Exception as error:
            if not is_unavailable(error):
                raise
            raise store_unavailable() from error
        try:
            outcome: Outcome = await connection.fetchval(load_sql(_SQL, "append_webhook_events"), *arguments)
        except Exception as error:
            raise _call_failed(error) from error
        finally:
            await self._pool.release(connection)
        return outcome

    async def _is_written(self, append: Append) -> bool:
        """A document has the time and the keys of its change, so no other command has made the same."""
        stored = await self.find(append.endpoint_id)
        if stored is None:
            return append.decision.is_deleted
        wanted = append.decision.document
        stream_version = append.expected_version + len(append.decision.events)
        placed: Any = replace(wanted, starts_after=stored.document.starts_after)
        return stored.stream_version == stream_version and stored.document == placed


def store_unavailable() -> StoreUnavailable:
    """Certainly not written."""
    return StoreUnavailable("the event store cannot be reached, or is too slow")


def _call_failed(error: Exception) -> Exception:
    """A statement that the server itself has ended, for example because it took too long, wrote nothing."""
    if isinstance(error, asyncpg.QueryCanceledError):
        return store_unavailable()
    return _Lost() if is_transient(error) else error
