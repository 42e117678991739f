"""Fills a generation of the cache that has no other readers and writers yet: no guard, few round trips,
little encoding.

redis-py takes three times as long to pack a SET and read its answer as Redis takes to execute it. So hiredis
packs the commands, Redis sends no answers to them, and one EXISTS at the end of each stretch counts the
documents. The next stretch is packed while Redis works on the last one.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from hiredis import pack_command
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ResponseError

from shared.redis.guarded_documents import jittered_milliseconds

KEYS_PER_STRETCH = 500
CONNECTIONS = 2
SILENCE: bytes = pack_command(("CLIENT", "REPLY", "OFF"))  # type: ignore[arg-type]  # declared for one part
SPEECH: bytes = pack_command(("CLIENT", "REPLY", "ON"))  # type: ignore[arg-type]
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
                await connection.send_packed_command(self._packed(some), check_health=False)
                await self._read_answer(connection, unanswered)
                stored, unanswered = stored + len(some), some
            await self._read_answer(connection, unanswered)
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        finally:
            await pool.release(connection)
        return stored

    def _packed(self, documents: Sequence[Document]) -> bytes:
        ttl = jittered_milliseconds(self._ttl_seconds)
        commands = [pack_command(("SET", key, value, "PX", ttl)) for key, value in documents]  # type: ignore[arg-type]
        counted = pack_command(("EXISTS", *[key for key, _ in documents]))  # type: ignore[arg-type]
        return b"".join([SILENCE, *commands, SPEECH, counted])

    async def _read_answer(self, connection: AbstractConnection, documents: Sequence[Document]) -> None:
        if not documents:
            return
        await connection.read_response()
        found = await connection.read_response()
        if found != len(documents):
            await self._ask_why(documents)
            raise ResponseError(f"Redis has stored only {found} of {len(documents)} documents")

    async def _ask_why(self, documents: Sequence[Document]) -> None:
        """Send a command again, with an answer this time, to get the error for which Redis refused it."""
        for key, value in documents:
            await self._redis.set(key, value, px=jittered_milliseconds(self._ttl_seconds))
