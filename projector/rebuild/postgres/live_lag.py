"""A rebuild waits while the live view is too far behind."""

import asyncio
import time
from typing import TYPE_CHECKING

from projector.postgres.failures import translated
from shared.ops.logs import get_logger
from shared.postgres.sql import load_sql

if TYPE_CHECKING:
    import asyncpg

_SECONDS_BETWEEN_LOOKS = 1.0
_log = get_logger(__name__)


class LiveLag:
    """The lag of the live projection in events, over all partitions, as its consumers report it."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", projection: str, events_max: int) -> None:
        self._pool = pool
        self._projection = projection
        self._events_max = events_max
        self._looked_at = 0.0

    async def make_room(self) -> None:
        """Wait while the live view is further behind than allowed. Raises `Unavailable`."""
        if time.monotonic() - self._looked_at < _SECONDS_BETWEEN_LOOKS:
            return
        while (behind := await self._events()) > self._events_max:
            _log.info("waiting for the live view", projection=self._projection, lag_events=behind)
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
        self._looked_at = time.monotonic()

    async def _events(self) -> int:
        with translated("read model"):
            sql = load_sql("projector.rebuild.postgres", "select_live_lag")
            return int(await self._pool.fetchval(sql, self._projection))
