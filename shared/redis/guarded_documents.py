"""The one way in which a document enters the live cache: guarded by its version, with a time to live.

The projector writes with it and so does a reader's cache fill: whoever is late loses, on both sides.
"""

import random
from collections.abc import Mapping
from importlib.resources import files

from redis.asyncio import Redis

KEYS_PER_CALL_MAX = 500
TTL_JITTER = 0.1

_script = files("shared.redis").joinpath("guarded_set.lua").read_text()


class GuardedDocuments:
    """Writes packed documents (`shared.contract.cached_document`) that are newer than what stands there."""

    def __init__(self, redis: Redis, *, ttl_seconds: float) -> None:
        self._set = redis.register_script(_script)
        self._ttl_seconds = ttl_seconds

    async def store(self, documents: Mapping[str, bytes]) -> int:
        """Store key -> packed document; answers how many were newer. Raises redis-py's errors.

        The time to live varies by a tenth so that what was written together does not expire together.
        """
        keys = list(documents)
        stored = 0
        for start in range(0, len(keys), KEYS_PER_CALL_MAX):
            some = keys[start : start + KEYS_PER_CALL_MAX]
            jitter = 1 + random.uniform(-TTL_JITTER, TTL_JITTER)  # noqa: S311 (spread, not secrecy)
            ttl_milliseconds = int(self._ttl_seconds * 1000 * jitter)
            stored += int(
                await self._set(keys=some, args=[ttl_milliseconds, *map(documents.__getitem__, some)])
            )
        return stored
