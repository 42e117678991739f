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
from collections.abc import Callable, Sequence

from redis.asyncio import ConnectionPool, Redis
from redis.exceptions import AskError

from query_api.products.local_cache import LocalCache
from query_api.products.redis.tracked_server import TrackedServer
from shared.ops.error_text import named
from shared.ops.logs import get_logger
from shared.ops.metrics.local_cache import FlushReason
from shared.redis.cluster.client import ClusterRedis
from shared.redis.cluster.node import Node
from shared.redis.cluster.slots import slot_of
from shared.redis.errors import is_transient
from shared.redis.key_groups import key_groups
from shared.redis.product_keys import ProductKeys
from shared.redis.together import together

RETRY_SECONDS_MAX = 1.0
# A slot that is on its way is found elsewhere again and again.
MOVED_SECONDS_MAX = 0.2
# Without tracking: somebody has to change Redis, or a right.
REFUSED_SECONDS = 60.0
_log = get_logger(__name__)


class Tracking:
    """Keeps a `LocalCache` right. `silence_seconds_max`: how long it is used without a sign of life.

    On a cluster every primary tells of its own documents, and all have to: when one connection ends, or a
    slot is found at another node, everything is forgotten, and it begins again with the primaries of then.
    """

    def __init__(self, redis: Redis, local: LocalCache, *, prefix: str, silence_seconds_max: float) -> None:
        self._redis = redis
        self._local = local
        self._keys = key_groups(redis, prefix)
        self._silence_seconds_max = silence_seconds_max
        self._is_said = False
        self._moved = asyncio.Event()
        if isinstance(redis, ClusterRedis):
            redis.on_change.append(self._slots_have_moved)

    async def run(self) -> None:
        """Until it is cancelled. Every error means: the cache is off, and it is tried again."""
        while True:
            reason: FlushReason = "lost"
            seconds = 0.0
            servers: list[TrackedServer] = []
            try:
                servers = await self._servers()
                await together([server.begin() for server in servers])
                if not self._moved.is_set():
                    self._local.open(self._keys.generation)
                    self._say_on()
                    reason = await self._first_end(servers)
                if self._moved.is_set():
                    seconds = MOVED_SECONDS_MAX
            except Exception as error:
                is_passing = is_transient(error) or isinstance(error, AskError)
                seconds = RETRY_SECONDS_MAX if is_passing else REFUSED_SECONDS
                self._say_off(error)
            finally:
                self._local.close(reason)
                for server in servers:
                    await server.close()
            await asyncio.sleep(seconds * random.uniform(0.5, 1.0))  # noqa: S311

    async def _servers(self) -> list[TrackedServer]:
        """The one, or the primaries that have documents."""
        self._moved.clear()
        if not isinstance(self._redis, ClusterRedis):
            watched: list[tuple[ConnectionPool, Sequence[ProductKeys]]]
            watched = [(self._redis.connection_pool, self._keys.groups)]
        else:
            by_node: dict[Node, list[ProductKeys]] = {}
            for keys in self._keys.groups:
                node = await self._redis.node_of(slot_of(keys.generation_key))
                by_node.setdefault(node, []).append(keys)
            watched = [(node.redis.connection_pool, groups) for node, groups in by_node.items()]
            self._moved.clear()
        trust = _Trust(self._local, len(watched))
        return [
            TrackedServer(
                pool,
                self._redis,
                groups,
                self._local,
                silence_seconds_max=self._silence_seconds_max,
                trust=trust.of_one(),
            )
            for pool, groups in watched
        ]

    async def _first_end(self, servers: Sequence[TrackedServer]) -> FlushReason:
        """When one does not tell any more. Raises its error."""
        waits = [asyncio.ensure_future(server.listen()) for server in servers]
        moved = asyncio.ensure_future(self._moved.wait())
        try:
            await asyncio.wait([*waits, moved], return_when=asyncio.FIRST_COMPLETED)
            ended = next((one for one in waits if one.done()), None)
            return "lost" if ended is None else await ended
        finally:
            for one in (*waits, moved):
                one.cancel()
            await asyncio.gather(*waits, moved, return_exceptions=True)

    def _slots_have_moved(self) -> None:
        """At once: what is read now may come from a node that tells us nothing."""
        self._moved.set()
        self._local.close("lost")

    def _say_on(self) -> None:
        if self._is_said:
            self._is_said = False
            _log.info("the in-process cache is on again")

    def _say_off(self, error: Exception) -> None:
        """Once, until it is on again."""
        if not self._is_said:
            self._is_said = True
            _log.warning("the in-process cache is off", error=named(error))


class _Trust:
    """Until when all servers have told of their changes."""

    def __init__(self, local: LocalCache, servers: int) -> None:
        self._local = local
        self._servers = servers
        self._moments: dict[object, float] = {}

    def of_one(self) -> Callable[[float], None]:
        """What a server calls."""
        one = object()

        def trust(moment: float) -> None:
            self._moments[one] = moment
            if len(self._moments) == self._servers:
                self._local.trust_until(min(self._moments.values()))

        return trust
