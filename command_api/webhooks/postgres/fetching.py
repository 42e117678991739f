"""Statements that read, on a pool that may be away."""

from collections.abc import Callable, Sequence
from typing import Any

import asyncpg

from shared.postgres.errors import is_transient, is_unavailable


class PoolFetches:
    """Adapter of `Fetches`. `unavailable` makes the error of an outage."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", unavailable: Callable[[], Exception]) -> None:
        self._pool = pool
        self._unavailable = unavailable

    async def fetch(self, sql: str, *parameters: Any) -> Sequence[asyncpg.Record]:
        """All rows. After a transient error it tries once more: a pooled connection may have been lost since
        its last use. A server that does not answer in time is not asked again.
        """
        try:
            try:
                return await self._pool.fetch(sql, *parameters)
            except Exception as error:
                if not is_transient(error) or isinstance(error, TimeoutError):
                    raise
            return await self._pool.fetch(sql, *parameters)
        except Exception as error:
            if not is_unavailable(error):
                raise
            raise self._unavailable() from error
