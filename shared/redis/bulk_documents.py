"""Fills a generation of the cache that has no other readers and writers yet: no guard, few round trips,
little encoding.

redis-py takes three times as long to pack a SET and read its answer as Redis takes to execute it. So hiredis
packs the commands, and the answers to a stretch of them are compared as bytes. The next stretch is packed
while Redis works on the last one.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from hiredis import pack_command
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection

from shared.redis.guarded_documents import jittered_milliseconds
from shared.redis.set_answers import refused_sets

KEYS_PER_STRETCH = 250
CONNECTIONS = 2
Document = tuple[str, bytes]


class BulkDocuments:
    """Writes (key, packed document) pairs over two connections of its own."""

    def __init__(self, redis: Redis, *, ttl_seconds: float) -> None:
        self._redis = redis
        self._ttl_seconds = ttl_seconds

    async def store(self, documents: Iterable[Document]) -> int:
        """Write all of them, whatever the keys contain; returns their number. Raises redis-py's errors."""
        iterator = iter(documents)
        lanes = [self._store_from(iterator) for _ in range(CONNECTIONS)]
        outcomes = await asyncio.gather(*lanes, return_exceptions=True)
        stored = 0
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
            stored += outcome
        return stored

    async def _store_from(self, documents: Iterator[Document]) -> int:
        pool = self._redis.connection_pool
        connection = await pool.get_connection()  # type: ignore[no-untyped-call]
        stored = 0
        unanswered: list[Document] = []
        try:
            while some := list(islice(documents, KEYS_PER_STRETCH)):
                await connection.send_packed_command(packed_sets(some, self._ttl_seconds), check_health=False)
                await self._read_answers(connection, unanswered)
                stored, unanswered = stored + len(some), some
            await self._read_answers(connection, unanswered)
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        finally:
            await pool.release(connection)
        return stored

    async def _read_answers(self, connection: AbstractConnection, documents: Sequence[Document]) -> None:
        """What was refused is sent again as redis-py does it, which raises the error, or stores it now."""
        if documents:
            for at in await refused_sets(connection, len(documents)):
                key, value = documents[at]
                await self._redis.set(key, value, px=jittered_milliseconds(self._ttl_seconds))


def packed_sets(documents: Sequence[Document], ttl_seconds: float) -> bytes:
    """The commands that store these; all of one stretch have one time to live."""
    ttl = jittered_milliseconds(ttl_seconds)
    return b"".join([pack_command(("SET", key, value, "PX", ttl)) for key, value in documents])  # type: ignore[arg-type]  # declared for one part
