"""Fills a generation on a cluster: a stretch is sent to all nodes at once, packed as for one server.

Where a slot has moved, a node answers nothing to the documents and an error to the EXISTS that counts them.
They are then written one by one, by the client that follows the slot.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol

from hiredis import pack_command
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from shared.redis.bulk_documents import (
    KEYS_PER_STRETCH,
    SILENCE,
    SPEECH,
    BulkDocuments,
    Document,
)
from shared.redis.cluster.client import ClusterRedis
from shared.redis.cluster.node import Node
from shared.redis.cluster.slots import slot_of
from shared.redis.guarded_documents import jittered_milliseconds
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
            by_node: dict[Node, list[Sequence[Document]]] = {}
            for slot, ours in by_slot.items():
                by_node.setdefault(await self._redis.node_of(slot), []).append(ours)
            await together([self._send(node, slots) for node, slots in by_node.items()])
            stored += len(some)
        return stored

    async def _send(self, node: Node, slots: Sequence[Sequence[Document]]) -> None:
        missing = await node.guarded(lambda: self._missing(node.redis, slots))
        for documents in missing:
            await asyncio.gather(*(self._set(key, value) for key, value in documents))

    async def _missing(
        self, redis: Redis, slots: Sequence[Sequence[Document]]
    ) -> Sequence[Sequence[Document]]:
        """Sends the documents; returns those of slots that the node did not take."""
        pool = redis.connection_pool
        connection = await pool.get_connection()  # type: ignore[no-untyped-call]
        try:
            await connection.send_packed_command(self._packed(slots), check_health=False)
            await connection.read_response()
            missing = []
            for documents in slots:
                try:
                    if await connection.read_response() == len(documents):
                        continue
                except ResponseError:
                    pass  # the client asks again, document by document, and then it counts
                missing.append(documents)
            return missing
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        finally:
            await pool.release(connection)

    def _packed(self, slots: Sequence[Sequence[Document]]) -> bytes:
        ttl = jittered_milliseconds(self._ttl_seconds)
        sets = [
            pack_command(("SET", key, value, "PX", ttl))  # type: ignore[arg-type]  # declared for one part
            for documents in slots
            for key, value in documents
        ]
        counts = [pack_command(("EXISTS", *(key for key, _ in documents))) for documents in slots]  # type: ignore[arg-type]
        return b"".join([SILENCE, *sets, SPEECH, *counts])

    async def _set(self, key: str, value: bytes) -> None:
        await self._redis.set(key, value, px=jittered_milliseconds(self._ttl_seconds))
