"""The results of `verify`, in the read model: the projector exports them, whichever process has verified."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from projector.postgres.failures import translated
from projector.rebuild.verify_ports import Known, Verified
from shared.postgres.sql import load_sql

if TYPE_CHECKING:
    import asyncpg

_SERVER = "read model"
_PACKAGE = "projector.rebuild.postgres"


class PostgresVerifications:
    """Implements `Verifications`."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def store(self, verified: Verified, *, is_sample: bool, seconds: float) -> None:
        with translated(_SERVER):
            await self._pool.execute(
                load_sql(_PACKAGE, "upsert_verification"),
                verified.projection,
                is_sample,
                verified.log_position,
                verified.products,
                verified.different,
                seconds,
            )

    async def known(self, projections: Sequence[str]) -> Mapping[str, Known]:
        with translated(_SERVER):
            rows = await self._pool.fetch(load_sql(_PACKAGE, "select_verifications"), list(projections))
        return {name: Known(*known) for name, *known in rows}
