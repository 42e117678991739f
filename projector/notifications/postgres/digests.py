"""Digests in PostgreSQL: one statement makes a digest of gathered events and claims it."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from projector.notifications.digest_ports import Contents, Digest, Gathered, Open, ToldProducts, Undelivered
from projector.notifications.digest_text import Sort
from projector.notifications.pace import PaceLimits
from projector.notifications.ports import Claim, ClaimState
from projector.notifications.postgres.claims import OUTCOME_UNKNOWN
from projector.postgres.failures import translated
from shared.postgres.sql import load_sql

if TYPE_CHECKING:
    import asyncpg

_SERVER = "read model"
_PACKAGE = "projector.notifications.postgres"


class PostgresDigests:
    """Implements `Digests`. A claim that is older than `unknown_after_seconds` has an unknown outcome."""

    def __init__(
        self, pool: "asyncpg.Pool[asyncpg.Record]", limits: PaceLimits, *, unknown_after_seconds: float
    ) -> None:
        self._pool = pool
        self._limits = limits
        self._unknown_after_seconds = unknown_after_seconds

    async def open(self) -> Open:
        with translated(_SERVER):
            row = await self._pool.fetchrow(load_sql(_PACKAGE, "select_open_digests"))
        assert row is not None, "a query without a condition returns its row"
        return Open._make(row)

    async def take(self, recipients: Sequence[str], claim_id: UUID, digests_max: int) -> Sequence[Digest]:
        limits, to = self._limits, list(recipients)
        with translated(_SERVER):
            await self._pool.execute(load_sql(_PACKAGE, "retake_digests"), to, claim_id, digests_max)
            ours = await self._claimed(claim_id)
            if len(ours) < digests_max:
                sql = load_sql(_PACKAGE, "take_digests")
                most = digests_max - len(ours)
                await self._pool.execute(
                    sql, to, limits.window_seconds, limits.single_mails_max, claim_id, most
                )
                ours = await self._claimed(claim_id)
        return ours

    async def contents(self, digest_id: UUID, shown_max: int) -> Contents:
        sorts: dict[Sort, ToldProducts] = {}
        first: dict[Sort, list[tuple[UUID, int]]] = {}
        with translated(_SERVER):
            rows = await self._pool.fetch(load_sql(_PACKAGE, "select_digest_contents"), digest_id, shown_max)
            imports = await self._pool.fetch(
                load_sql(_PACKAGE, "select_digest_imports"), digest_id, shown_max
            )
        for row in rows:
            shown = first.setdefault(row["sort"], [])
            shown.append((UUID(int=row["product_id"].int), row["last_position"]))
            sorts[row["sort"]] = ToldProducts(row["products"], row["events"], shown)
        return Contents(sorts, [row["import_id"] for row in imports], imports[0]["imports"] if imports else 0)

    async def settle(
        self,
        digest_id: UUID,
        claim_id: UUID,
        state: ClaimState,
        cause: str | None,
        retry_seconds: float | None = None,
    ) -> None:
        with translated(_SERVER):
            sql = load_sql(_PACKAGE, "settle_digest")
            await self._pool.execute(sql, digest_id, claim_id, state, cause, retry_seconds)

    async def undelivered(self, digests_max: int) -> Sequence[Undelivered]:
        with translated(_SERVER):
            await self._pool.execute(
                load_sql(_PACKAGE, "mark_digests_unknown"), self._unknown_after_seconds, OUTCOME_UNKNOWN
            )
            rows = await self._pool.fetch(load_sql(_PACKAGE, "select_undelivered_digests"), digests_max)
        return [Undelivered._make(row) for row in rows]

    async def mark_parked(self, digest_ids: Collection[UUID]) -> None:
        with translated(_SERVER):
            await self._pool.execute(load_sql(_PACKAGE, "mark_digests_parked"), list(digest_ids))

    async def claim(
        self, digest_id: UUID, again: Collection[ClaimState], claim_id: UUID
    ) -> tuple[Claim, Digest | None]:
        with translated(_SERVER):
            await self._pool.execute(
                load_sql(_PACKAGE, "mark_digests_unknown"), self._unknown_after_seconds, OUTCOME_UNKNOWN
            )
            sql = load_sql(_PACKAGE, "claim_digest")
            row = await self._pool.fetchrow(sql, digest_id, list(again), claim_id)
            if row is not None:
                return Claim(True, "claimed"), Digest._make(row)
            row = await self._pool.fetchrow(load_sql(_PACKAGE, "select_digest"), digest_id)
        # A deleted digest was sent or discarded long before.
        return (Claim(False, "sent") if row is None else Claim(False, row["state"], row["cause"])), None

    async def discard(self, digest_id: UUID) -> None:
        with translated(_SERVER):
            await self._pool.execute(load_sql(_PACKAGE, "discard_digest"), digest_id)

    async def gathered(self, recipients: Sequence[str]) -> Gathered:
        with translated(_SERVER):
            row = await self._pool.fetchrow(load_sql(_PACKAGE, "count_gathered"), list(recipients))
        assert row is not None, "an aggregate returns one row"
        return Gathered(row["events"], row["oldest_seconds"])

    async def purge_one(self, days: int) -> bool:
        with translated(_SERVER):
            return await self._pool.fetchval(load_sql(_PACKAGE, "purge_digest"), days) is not None

    async def _claimed(self, claim_id: UUID) -> Sequence[Digest]:
        rows = await self._pool.fetch(load_sql(_PACKAGE, "select_claimed_digests"), claim_id)
        return [Digest._make(row) for row in rows]
