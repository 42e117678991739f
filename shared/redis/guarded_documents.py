"""The only way to write a document to the live cache: guarded by its version, with a time to live.

The projector and the cache fills of readers both use it, so an older document never replaces a newer one.
After a flush there is no newer document to compare with: a fill from a lagging replica, or a write of a
process that was paused, could stay for a day. So documents that are written within `settling_seconds` of a
cache loss live no longer than that.
"""

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib.resources import files
from typing import Any, Protocol
from uuid import UUID

from redis.asyncio import Redis

from shared.redis.product_keys import GenerationFrozen, GenerationMoved, KeyGroups, ProductKeys
from shared.redis.together import together

KEYS_PER_CALL_MAX = 500
TTL_JITTER = 0.1
# Longer than a replica lags, and longer than the pause of a process that others have replaced.
SETTLING_SECONDS = 60.0
_MOVED, _FROZEN = -1, -2

_script = files("shared.redis").joinpath("guarded_set.lua").read_bytes()


class RunScript(Protocol):
    """Runs a script, and returns its answer. Raises redis-py's errors."""

    def __call__(self, keys: Sequence[Any], args: Sequence[Any]) -> Awaitable[Any]: ...


RegisterScript = Callable[[bytes], RunScript]


class GuardedDocuments:
    """Writes packed documents (`shared.contract.cached_document`) that are newer than the cached ones.

    `is_live` False: writes to a generation that no reader uses yet, whatever the live one is. `register`
    makes what runs a script; None: the client does it.
    """

    def __init__(
        self,
        redis: Redis,
        keys: KeyGroups,
        *,
        ttl_seconds: float,
        settling_seconds: float = SETTLING_SECONDS,
        is_live: bool = True,
        register: RegisterScript | None = None,
    ) -> None:
        self._redis = redis
        self._set = (register or redis.register_script)(_script)
        self._keys = keys
        self._ttl_seconds = ttl_seconds
        self._settling_seconds = settling_seconds
        self._is_live = is_live

    async def store(self, documents: Mapping[UUID, bytes]) -> int:
        """Store product id -> packed document; returns how many were newer and so were stored.

        Raises redis-py's errors, `GenerationMoved` or `GenerationFrozen`. The time to live varies by a tenth,
        so that documents written together do not expire together.
        """
        parts = self._keys.split(documents)
        return sum(await together([self._store(keys, ids, documents) for keys, ids in parts]))

    async def _store(self, keys: ProductKeys, ids: Sequence[UUID], documents: Mapping[UUID, bytes]) -> int:
        stored = 0
        for start in range(0, len(ids), KEYS_PER_CALL_MAX):
            some = ids[start : start + KEYS_PER_CALL_MAX]
            expected = str(keys.generation) if self._is_live else ""
            answer = int(
                await self._set(
                    keys=[keys.generation_key, keys.frozen_key, keys.since_key, *keys.of(some)],
                    args=[
                        expected,
                        jittered_milliseconds(self._ttl_seconds),
                        jittered_milliseconds(self._settling_seconds),
                        *map(documents.__getitem__, some),
                    ],
                )
            )
            if answer == _MOVED:
                keys.learn(await self._redis.get(keys.generation_key))
                raise GenerationMoved(f"generation {keys.generation} of the cache is live now")
            if answer == _FROZEN:
                raise GenerationFrozen("another generation of the cache is about to become live")
            stored += answer
        return stored


def jittered_milliseconds(ttl_seconds: float) -> int:
    """The time to live, a tenth more or less."""
    return int(ttl_seconds * 1000 * (1 + random.uniform(-TTL_JITTER, TTL_JITTER)))  # noqa: S311
