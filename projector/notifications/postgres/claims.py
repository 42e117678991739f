"""Claims of mails in PostgreSQL, each in a transaction of its own that ends before the mail is sent."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from projector.notifications.ports import Claim, ClaimState, Wanted
from projector.postgres.failures import translated
from shared.postgres.sql import load_sql

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy[asyncpg.Record]

_SERVER = "read model"
_PACKAGE = "projector.notifications.postgres"
OUTCOME_UNKNOWN = "the projector that claimed this mail stopped before it stored whether the mail was sent"
"""The cause that operators read for a claim that was never settled."""


class PostgresClaims:
    """Implements `Claims`. A claim that is older than `unknown_after_seconds` has an unknown outcome."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", *, unknown_after_seconds: float) -> None:
        self._pool = pool
        self._unknown_after_seconds = unknown_after_seconds

    async def claim(self, wanted: Wanted, again: Collection[ClaimState], claim_id: UUID) -> Claim:
        """One round trip if the mail is new."""
        is_ours = await self._claim(wanted, again, claim_id)
        if not is_ours and await self._mark_unknown(wanted):
            is_ours = "unknown" in again and await self._claim(wanted, again, claim_id)
        if is_ours:
            return Claim(True, "claimed")
        with translated(_SERVER):
            sql = load_sql(_PACKAGE, "select_notification")
            row = await self._pool.fetchrow(sql, wanted.event_id, wanted.recipient)
        assert row is not None, "a claim is never deleted"
        return Claim(False, row["state"], row["cause"])

    async def settle(self, wanted: Wanted, claim_id: UUID, state: ClaimState, cause: str | None) -> None:
        with translated(_SERVER):
            sql = load_sql(_PACKAGE, "settle_notification")
            await self._pool.execute(sql, wanted.event_id, wanted.recipient, claim_id, state, cause)

    async def unsent_events(self) -> Sequence[tuple[UUID, UUID]]:
        """(event id, product id) of each event with a mail that waits for another attempt. Raises
        `Unavailable`.
        """
        with translated(_SERVER):
            rows = await self._pool.fetch(load_sql(_PACKAGE, "select_unsent_events"))
        return [(UUID(int=row["event_id"].int), UUID(int=row["product_id"].int)) for row in rows]

    async def discard_waiting(self, connection: "Connection") -> None:
        """All mails that would be sent by themselves, digests too; in this transaction."""
        await connection.execute(load_sql(_PACKAGE, "discard_waiting_mails"))

    async def discard(self, event_id: UUID) -> None:
        with translated(_SERVER):
            await self._pool.execute(load_sql(_PACKAGE, "discard_notifications"), event_id)

    async def _claim(self, wanted: Wanted, again: Collection[ClaimState], claim_id: UUID) -> bool:
        with translated(_SERVER):
            sql = load_sql(_PACKAGE, "claim_notification")
            return await self._pool.fetchval(sql, *wanted, list(again), claim_id) is not None

    async def _mark_unknown(self, wanted: Wanted) -> bool:
        """Marks an old claim as unknown; whether it was one."""
        with translated(_SERVER):
            sql = load_sql(_PACKAGE, "mark_notification_unknown")
            answer = await self._pool.execute(
                sql, wanted.event_id, wanted.recipient, self._unknown_after_seconds, OUTCOME_UNKNOWN
            )
        return answer == "UPDATE 1"
