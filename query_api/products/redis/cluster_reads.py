"""Grouped reads on a cluster: the keys of one tick are one write for each node, with an MGET for each slot.

Every node has batches of its own, so while one is away, only its keys are read from the table.
"""

from asyncio import Future
from collections.abc import Callable, Sequence
from typing import Any

from query_api.products.redis.cache_reads import CacheReads, ReadMany, cache_reads
from query_api.products.redis.guarded_calls import GuardedCalls
from shared.contract.addresses import cache_group_of
from shared.ops.breaker import BreakerState
from shared.ops.concurrency.coalesced_reads import Count
from shared.redis.address import Place
from shared.redis.cluster.client import ClusterRedis
from shared.redis.cluster.direct import ClusterCalls
from shared.redis.cluster.slots import slot_of
from shared.redis.product_keys import KeyGroups


class ClusterReads:
    """Like `cache_reads`. `slot_of_key` says which node is asked for a key."""

    def __init__(
        self,
        redis: ClusterRedis,
        calls: GuardedCalls,
        read_many: ReadMany,
        slot_of_key: Callable[[str], int],
        *,
        count: Count | None = None,
        batches_max: int = 2,
    ) -> None:
        self._redis = redis
        self._slot_of_key = slot_of_key
        self._make: Callable[[], CacheReads] = lambda: cache_reads(
            calls, read_many, count=count, batches_max=batches_max
        )
        self._by_node: dict[Place | None, CacheReads] = {}

    def get(self, key: str) -> "Future[bytes | None]":
        """The value, or None if there is none; raises `CacheUnavailable`."""
        place = self._redis.place_of(self._slot_of_key(key))
        reads = self._by_node.get(place)
        if reads is None:
            reads = self._by_node[place] = self._make()
        return reads.get(key)


class ClusterDocuments:
    """A `ReadMany` of ids, like `LiveDocuments`: each group's live generation is read with its documents."""

    def __init__(self, calls: ClusterCalls, keys: KeyGroups) -> None:
        self._calls = calls
        self._keys = keys

    async def __call__(self, product_ids: list[str]) -> Sequence[Any]:
        """Read again if a live generation has changed since the last time."""
        parts = self._keys.split(product_ids)
        while True:
            answers = await self._calls([("MGET", keys.generation_key, *keys.of(ids)) for keys, ids in parts])
            have_changed = [keys.learn(live) for (keys, _), (live, *_) in zip(parts, answers, strict=True)]
            if not any(have_changed):
                break
        found: dict[str, Any] = {}
        for (_, ids), (_, *documents) in zip(parts, answers, strict=True):
            found.update(zip(ids, documents, strict=True))
        return [found[product_id] for product_id in product_ids]


class ClusterMultiGet:
    """A `ReadMany` of keys, like `MultiGet`."""

    def __init__(self, calls: ClusterCalls) -> None:
        self._calls = calls

    async def __call__(self, keys: list[str]) -> Sequence[Any]:
        """Their values in order. Raises redis-py's errors."""
        by_slot: dict[int, list[str]] = {}
        for key in keys:
            by_slot.setdefault(slot_of(key), []).append(key)
        answers = await self._calls([("MGET", *some) for some in by_slot.values()])
        found: dict[str, Any] = {}
        for some, values in zip(by_slot.values(), answers, strict=True):
            found.update(zip(some, values, strict=True))
        return [found[key] for key in keys]


class NodeBreakers:
    """Stands where one server has its circuit breaker: each node has its own, inside the client."""

    def __init__(self, redis: ClusterRedis) -> None:
        self._redis = redis

    def state(self, now: float) -> BreakerState:
        """Closed, if all nodes are used."""
        return self._redis.breaker_state(now)

    def allows(self, now: float) -> bool:
        """The client refuses by itself."""
        return True

    def record_success(self) -> None:
        """The client does."""

    def record_failure(self, now: float) -> None:
        """The client does."""


def slot_of_product(keys: KeyGroups) -> Callable[[str], int]:
    """The slot of a product's group."""
    slots = [slot_of(group.generation_key) for group in keys.groups]
    return lambda product_id: slots[cache_group_of(product_id)]
