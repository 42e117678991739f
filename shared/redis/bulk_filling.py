"""Fills a generation on a cluster: a stretch is sent to all nodes at once, packed as for one server.

Where a slot has moved, a node refuses its documents. They are then written one by one, by the client that
follows the slot.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol

from redis.asyncio import Redis

from shared.redis.bulk_documents import KEYS_PER_STRETCH, BulkDocuments, Document, packed_sets
from shared.redis.cluster.client import ClusterRedis
from shared.redis.cluster.node import Node
from shared.redis.cluster.slots import slot_of
from shared.redis.guarded_documents import jittered_milliseconds
from shared.redis.set_answers import refused_sets
from shared.redis.together import together

_STRETCHES = 2


class Bulk(Protocol):
    """Writes (key, packed document) pairs."""

    async def store(self, documents: Iterable[Document]) -> int:
        """Write all of them, whatever the keys contain; returns their number. Raises redis-py's errors."""


def bulk_documents(redis: Redis, *, ttl_seconds: float) -> Bulk:
    """For one server or for a cluster."""
    if isinstance(redis, ClusterRedis):
        return ClusterBulkDocuments(redis, ttl_seconds=ttl_seconds)
    return BulkDocuments(redis, ttl_seconds=ttl_seconds)


class ClusterBulkDocuments:
    """Two stretches are under way: one is packed while the nodes work on the other."""

    def __init__(self, redis: ClusterRedis, *, ttl_seconds: float) -> None:
        self._redis = redis
        self._ttl_seconds = ttl_seconds

    async def store(self, documents: Iterable[Document]) -> int:
        """Write all of them; returns their number. Raises redis-py's errors."""
        iterator = iter(documents)
        return sum(await together([self._store_from(iterator) for _ in range(_STRETCHES)]))

    async def _store_from(self, documents: Iterator[Document]) -> int:
        stored = 0
        while some := list(islice(documents, KEYS_PER_STRETCH)):
            by_slot: dict[int, list[Document]] = {}
            for document in some:
                by_slot.setdefault(slot_of(document[0]), []).append(document)
            by_node: dict[Node, list[Document]] = {}
            for slot, ours in by_slot.items():
                by_node.setdefault(await self._redis.node_of(slot), []).extend(ours)
            await together([self._send(node, ours) for node, ours in by_node.items()])
            stored += len(some)
        return stored

    async def _send(self, node: Node, documents: Sequence[Document]) -> None:
        """Raises the error for which a document was refused, unless its slot has moved."""
        refused = await node.guarded(lambda: self._refused(node.redis, documents))
        await asyncio.gather(*(self._set(*documents[at]) for at in refused))

    async def _refused(self, redis: Redis, documents: Sequence[Document]) -> Sequence[int]:
        pool = redis.connection_pool
        connection = await pool.get_connection()  # type: ignore[no-untyped-call]
        try:
            await connection.send_packed_command(
                packed_sets(documents, self._ttl_seconds), check_health=False
            )
            return await refused_sets(connection, len(documents))
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        finally:
            await pool.release(connection)

    async def _set(self, key: str, value: bytes) -> None:
        await self._redis.set(key, value, px=jittered_milliseconds(self._ttl_seconds))
