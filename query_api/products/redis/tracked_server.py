"""One connection on which Redis tells of changes, as `tracking.py` explains."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from uuid import uuid4

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import NoPermissionError, RedisError

from query_api.products.local_cache import LocalCache
from shared.ops.metrics.local_cache import FlushReason
from shared.redis.product_keys import ProductKeys

PROOF_SECONDS_MAX = 2.0
_PINGS_PER_SILENCE = 3


class NotTold(RedisError):
    """The server has accepted tracking and did not tell of a change."""


class TrackedServer:
    """One connection to a server of `pool`, for the documents of these groups, in one generation of each.

    `redis` is the way of all other calls, on which the proof is written. `trust` is called with the moment
    until which the changes of this server are told.
    """

    def __init__(
        self,
        pool: ConnectionPool,
        redis: Redis,
        keys: Sequence[ProductKeys],
        local: LocalCache,
        *,
        silence_seconds_max: float,
        trust: Callable[[float], None],
    ) -> None:
        self._redis = redis
        self._local = local
        self._keys = keys
        self._generation_keys = {one.generation_key.encode() for one in keys}
        self._documents: set[bytes] = set()
        self._silence_seconds_max = silence_seconds_max
        self._trust = trust
        settings = {**pool.connection_kwargs, "socket_timeout": None, "protocol": 3}
        self._connection: AbstractConnection = pool.connection_class(**settings)
        self._ends: FlushReason | None = None
        self._proof = f"{keys[0].generation_key}:told:{uuid4()}".encode()
        self._is_proved = False

    async def begin(self) -> None:
        """Ask for the changes, and prove that they are told; the groups then know their live generations.

        Raises redis-py's errors, TimeoutError or `NotTold`.
        """
        async with asyncio.timeout(PROOF_SECONDS_MAX):
            await self._connection.connect()  # type: ignore[no-untyped-call]
        parser: Any = self._connection._parser
        parser.set_invalidation_push_handler(self._take)
        async with asyncio.timeout(PROOF_SECONDS_MAX):
            await self._bound_backlog()
            await self._track(self._generation_keys)
            for one in self._keys:
                one.learn(await self._ask("GET", one.generation_key))
            self._documents = {one.of([""])[0].encode() for one in self._keys}
            await self._track(self._documents)
            await self._redis.set(self._proof, b"", px=int(PROOF_SECONDS_MAX * 1000))
        with suppress(TimeoutError):
            async with asyncio.timeout(PROOF_SECONDS_MAX):
                while not self._is_proved:
                    await self._read(None)
        if not self._is_proved:
            raise NotTold("Redis did not tell of a change")

    async def _track(self, prefixes: set[bytes]) -> None:
        wanted = [part for prefix in prefixes for part in (b"PREFIX", prefix)]
        await self._ask("CLIENT", "TRACKING", "ON", "BCAST", *wanted)

    async def listen(self) -> FlushReason:
        """Take what is told until another generation is live, or Redis is flushed. Raises redis-py's errors,
        or `TimeoutError` for a connection that has fallen silent.
        """
        pause = self._silence_seconds_max / _PINGS_PER_SILENCE
        while self._ends is None:
            began = time.monotonic()
            async with asyncio.timeout(self._silence_seconds_max):
                await self._ask("PING")
            self._trust(began + self._silence_seconds_max)
            while self._ends is None and (left := began + pause - time.monotonic()) > 0:
                await self._read(left)
        return self._ends

    async def close(self) -> None:
        """Never waits."""
        await self._connection.disconnect(nowait=True)

    async def _bound_backlog(self) -> None:
        """Be a subscriber of a channel on which nobody speaks: of those Redis bounds what they have not taken
        yet (client-output-buffer-limit pubsub), and ends their connection. Of others it keeps all: a process
        that is stopped could fill its memory. Without the right for channels it works without the bound.
        """
        with suppress(NoPermissionError):
            await self._ask("SUBSCRIBE", f"{self._keys[0].generation_key}:told")

    async def _ask(self, *command: Any) -> Any:
        """The answer to a command; what is told before it is taken."""
        await self._connection.send_command(*command, check_health=False)
        while (answer := await self._read(None)) is _TOLD:
            pass
        return answer

    async def _read(self, seconds: float | None) -> Any:
        """An answer, or `_TOLD`; None after so many seconds."""
        return await self._connection.read_response(
            disable_decoding=True, push_request=True, timeout=float("inf") if seconds is None else seconds
        )

    async def _take(self, push: Sequence[Any]) -> object:
        """redis-py calls it with `invalidate` and the keys, or None for all of them."""
        keys = push[1]
        if keys is None:
            self._end("emptied")
            return _TOLD
        for key in keys:
            start, colon, product_id = key.rpartition(b":")
            if start + colon in self._documents:
                self._local.invalidate(product_id.decode("ascii", "replace"))
            elif key in self._generation_keys:
                self._end("generation")
            elif key == self._proof:
                self._is_proved = True
        return _TOLD

    def _end(self, reason: FlushReason) -> None:
        """Forget at once: readers may come before `listen` returns."""
        self._ends = self._ends or reason
        self._local.close(reason)


_TOLD = object()
