"""Filling a generation of the cache with packed documents, against a redis-py pipeline of SETs.

100,000 documents with a time to live, 1,000 per round trip of the pipeline; from the first byte to the last
answer, in this process and over loopback. The stored documents are counted and read back. Who is the slower
one, this process or Redis, is told by the processor time of each.
"""

import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis
from uuid_utils.compat import uuid7

from shared.contract.cached_document import pack
from shared.ops.secret import Secret
from shared.redis.address import RedisAddress
from shared.redis.bulk_documents import BulkDocuments
from shared.redis.client import create_redis
from shared.redis.product_keys import ProductKeys
from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.process_usage import own_seconds
from tests.benchmarks.table import Contender, Table
from tests.eventually import eventually

DOCUMENTS = 100_000
BODY_BYTES = 600
TTL_SECONDS = 3_600
PIPELINED = 1_000
Documents = Sequence[tuple[str, bytes]]


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """`seconds` does not matter: the work is fixed."""
    documents = _documents()
    spent: list[str] = []

    async def pipeline() -> float:
        return await _rate(servers, documents, _pipeline, "pipeline", spent)

    async def bulk() -> float:
        return await _rate(servers, documents, _bulk, "bulk load", spent)

    return [
        Table(
            "Filling the cache, 100,000 documents",
            "documents/s",
            [
                Contender("redis-py pipeline of SETs", pipeline),
                Contender("rebuild's bulk load", bulk, 4.0),
            ],
            below=lambda: ["Processor time a document, µs:", "", *spent],
        )
    ]


def _documents() -> Documents:
    keys = ProductKeys("bench:", 1).of([uuid7() for _ in range(DOCUMENTS)])
    return [(key, pack(10, b"%0*d" % (BODY_BYTES, number))) for number, key in enumerate(keys)]


async def _rate(
    servers: BenchServers,
    documents: Documents,
    fill: Callable[[Redis, Documents], Awaitable[Any]],
    name: str,
    spent: list[str],
) -> float:
    pid = servers.redis.pid
    assert pid is not None
    async with _emptied(servers) as redis:
        pids = {"this process": os.getpid(), "Redis": pid}
        before, started = {each: own_seconds(number) for each, number in pids.items()}, time.perf_counter()
        await fill(redis, documents)
        elapsed = time.perf_counter() - started
        used = {each: own_seconds(number) - before[each] for each, number in pids.items()}
        parts = (f"{each} {seconds / len(documents) * 1e6:.1f}" for each, seconds in used.items())
        spent.append(f"- {name}: {', '.join(parts)}")
        key, value = documents[-1]
        if (
            await redis.dbsize() != len(documents)
            or await redis.get(key) != value
            or await redis.pttl(key) < 1
        ):
            raise RuntimeError("the stored documents are not complete or not correct")
    return len(documents) / elapsed


async def _rewritten(redis: Redis) -> None:
    """So that no contender pays for a rewrite of the append-only file that the one before has caused."""
    await eventually(lambda: _at_rest(redis))
    await redis.bgrewriteaof()
    await eventually(lambda: _at_rest(redis))


async def _at_rest(redis: Redis) -> None:
    found = await redis.info("persistence")
    waits = [found["aof_rewrite_in_progress"], found["aof_rewrite_scheduled"], found["aof_pending_bio_fsync"]]
    assert not any(waits)


async def _pipeline(redis: Redis, documents: Documents) -> None:
    for some in _chunks(documents):
        pipeline = redis.pipeline(transaction=False)
        for key, value in some:
            pipeline.set(key, value, ex=TTL_SECONDS)
        await pipeline.execute()


async def _bulk(redis: Redis, documents: Documents) -> None:
    await BulkDocuments(redis, ttl_seconds=TTL_SECONDS).store(documents)


def _chunks(documents: Documents) -> Iterator[Documents]:
    for start in range(0, len(documents), PIPELINED):
        yield documents[start : start + PIPELINED]


@asynccontextmanager
async def _emptied(servers: BenchServers) -> AsyncIterator[Redis]:
    redis = create_redis(
        RedisAddress(Secret(servers.redis.url(5))),
        socket_timeout_seconds=30,
        connect_timeout_seconds=5,
        connections_max=2,
    )
    await redis.flushdb()
    await _rewritten(redis)
    try:
        yield redis
    finally:
        await redis.flushdb()
        await redis.aclose()
