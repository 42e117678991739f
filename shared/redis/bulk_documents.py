"""Fills a generation of the cache that nobody reads or writes yet: no guard, few round trips, little
encoding.
"""

from collections.abc import Iterable
from importlib.resources import files
from itertools import islice
from typing import Any

import hiredis
from redis.asyncio import Redis

from shared.redis.guarded_documents import jittered_milliseconds

KEYS_PER_CALL_MAX = 1_000
_script = files("shared.redis").joinpath("bulk_set.lua").read_text()


class BulkDocuments:
    """Writes (key, packed document) pairs over a connection of its own, commands packed by hiredis."""

    def __init__(self, redis: Redis, *, ttl_seconds: float) -> None:
        self._redis = redis
        self._ttl_seconds = ttl_seconds

    async def store(self, documents: Iterable[tuple[str, bytes]]) -> int:
        """All of them, whatever stands there; answers how many. Raises redis-py's errors."""
        sha = await self._redis.script_load(_script)
        pool = self._redis.connection_pool
        connection = await pool.get_connection()  # type: ignore[no-untyped-call]
        iterator, stored = iter(documents), 0
        try:
            while some := list(islice(iterator, KEYS_PER_CALL_MAX)):
                ttl = jittered_milliseconds(self._ttl_seconds)
                arguments: tuple[Any, ...] = (
                    "EVALSHA", sha, len(some), *[key for key, _ in some], ttl, *[value for _, value in some],
                )  # fmt: skip
                await connection.send_packed_command(hiredis.pack_command(arguments), check_health=False)
                stored += int(await connection.read_response())
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        finally:
            await pool.release(connection)
        return stored
