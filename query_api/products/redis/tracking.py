"""Redis tells this process of every change of a product document: client tracking in its broadcasting mode.

One connection speaks RESP3 and asks for the keys of the live generation and of the generation key itself
(`CLIENT TRACKING ON BCAST PREFIX`). Redis then names on it each key that any client writes, removes or lets
expire, and says when it is flushed. Redis remembers nothing per reader in this mode.

Nothing is trusted that is not proved. At the beginning a key is written over the way of all other calls, and
must be told on this connection: a proxy that lets tracking through without effect does not pass. Afterwards
a PING is answered behind all that was told before it, so entries are used only for a stated time after the
last PING that was answered: a half-open connection, or a process that was stopped, costs that much.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import NoPermissionError, RedisError

from query_api.products.local_cache import LocalCache
from shared.contract.addresses import cache_generation_key, product_key
from shared.ops.error_text import named
from shared.ops.logs import get_logger
from shared.ops.metrics.local_cache import FlushReason
from shared.redis.errors import is_transient

PROOF_SECONDS_MAX = 2.0
RETRY_SECONDS_MAX = 1.0
# Without tracking: somebody has to change Redis, or a right.
REFUSED_SECONDS = 60.0
_PINGS_PER_SILENCE = 3
_log = get_logger(__name__)


class NotTold(RedisError):
    """The server has accepted tracking and did not tell of a change."""


class Tracking:
    """Keeps a `LocalCache` right. `silence_seconds_max`: how long it is used without a sign of life."""

    def __init__(self, redis: Redis, local: LocalCache, *, prefix: str, silence_seconds_max: float) -> None:
        self._redis = redis
        self._local = local
        self._prefix = prefix
        self._silence_seconds_max = silence_seconds_max
        self._is_said = False

    async def run(self) -> None:
        """Until it is cancelled. Every error means: the cache is off, and it is tried again."""
        while True:
            session = _Session(self._redis, self._local, self._prefix, self._silence_seconds_max)
            reason: FlushReason = "lost"
            seconds = 0.0
            try:
                await session.begin()
                self._say_on()
                reason = await session.listen()
            except Exception as error:
                seconds = RETRY_SECONDS_MAX if is_transient(error) else REFUSED_SECONDS
                self._say_off(error)
            finally:
                self._local.close(reason)
                await session.close()
            await asyncio.sleep(seconds * random.uniform(0.5, 1.0))  # noqa: S311

    def _say_on(self) -> None:
        if self._is_said:
            self._is_said = False
            _log.info("the in-process cache is on again")

    def _say_off(self, error: Exception) -> None:
        """Once, until it is on again."""
        if not self._is_said:
            self._is_said = True
            _log.warning("the in-process cache is off", error=named(error))


class _Session:
    """One connection, and one generation of documents."""

    def __init__(self, redis: Redis, local: LocalCache, prefix: str, silence_seconds_max: float) -> None:
        self._redis = redis
        self._local = local
        self._prefix = prefix
        self._generation_key = cache_generation_key(prefix).encode()
        self._documents = b""
        self._silence_seconds_max = silence_seconds_max
        pool = redis.connection_pool
        settings = {**pool.connection_kwargs, "socket_timeout": None, "protocol": 3}
        self._connection: AbstractConnection = pool.connection_class(**settings)
        self._told: set[bytes] = set()
        self._ends: FlushReason | None = None
        self._proof = f"{cache_generation_key(prefix)}:told:{uuid4()}".encode()
        self._is_proved = False

    async def begin(self) -> None:
        """Ask for the changes, and prove that they are told. Raises redis-py's errors, TimeoutError or
        `NotTold`.
        """
        async with asyncio.timeout(PROOF_SECONDS_MAX):
            await self._connection.connect()  # type: ignore[no-untyped-call]
        parser: Any = self._connection._parser
        parser.set_invalidation_push_handler(self._take)
        async with asyncio.timeout(PROOF_SECONDS_MAX):
            await self._bound_backlog()
            await self._ask("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", self._generation_key)
            generation = int(await self._ask("GET", self._generation_key) or 0)
            self._documents = product_key(self._prefix, "", generation).encode()
            await self._ask("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", self._documents)
            await self._redis.set(self._proof, b"", px=int(PROOF_SECONDS_MAX * 1000))
        with suppress(TimeoutError):
            async with asyncio.timeout(PROOF_SECONDS_MAX):
                while not self._is_proved:
                    await self._read(None)
        if not self._is_proved:
            raise NotTold("Redis did not tell of a change")
        self._local.open(generation)

    async def listen(self) -> FlushReason:
        """Take what is told until another generation is live, or Redis is flushed. Raises redis-py's errors,
        or `TimeoutError` for a connection that has fallen silent.
        """
        pause = self._silence_seconds_max / _PINGS_PER_SILENCE
        while self._ends is None:
            began = time.monotonic()
            async with asyncio.timeout(self._silence_seconds_max):
                await self._ask("PING")
            self._local.trust_until(began + self._silence_seconds_max)
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
            await self._ask("SUBSCRIBE", self._generation_key + b":told")

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
        length = len(self._documents)
        for key in keys:
            if length and key.startswith(self._documents):
                self._local.invalidate(key[length:].decode("ascii", "replace"))
            elif key == self._generation_key:
                self._end("generation")
            elif key == self._proof:
                self._is_proved = True
        return _TOLD

    def _end(self, reason: FlushReason) -> None:
        """Forget at once: readers may come before `listen` returns."""
        self._ends = self._ends or reason
        self._local.close(reason)


_TOLD = object()
