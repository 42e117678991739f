"""The in-process cache over a real Redis: it is told of every change, and not used where it may not be.

The races are forced: a read is held between the answer of Redis and the keeping of it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from deploy.local.redis import RedisServer
from query_api.products.local_cache import LocalCache
from query_api.products.redis.kept_documents import KeptDocuments
from query_api.products.redis.live_documents import LiveDocuments
from query_api.products.redis.tracking import Tracking
from shared.contract.addresses import cache_generation_key, product_key
from shared.contract.cached_document import pack
from shared.ops.concurrency.waits import cancelled
from shared.ops.metrics.local_cache import FlushReason
from shared.ops.secret import Secret
from shared.redis.address import RedisAddress
from shared.redis.bulk_documents import BulkDocuments
from shared.redis.client import create_redis
from shared.redis.guarded_documents import GuardedDocuments
from shared.redis.product_keys import ProductKeys
from tests.eventually import eventually
from tests.tcp_proxy import TcpProxy

PREFIX = "catalogue"
LONG = 600.0
ID = UUID(int=7)
NAME = str(ID)


class _WatchedCache(LocalCache):
    """Notes what it is told."""

    def __init__(self) -> None:
        super().__init__(bytes_max=10**6, entries_max=100, seconds_max=LONG)
        self.changed: list[str] = []
        self.closed: list[FlushReason] = []
        self.is_used = False

    def invalidate(self, product_id: str) -> None:
        super().invalidate(product_id)
        self.changed.append(product_id)

    def trust_until(self, moment: float) -> None:
        super().trust_until(moment)
        self.is_used = True

    def close(self, reason: FlushReason) -> None:
        super().close(reason)
        self.is_used = False
        self.closed.append(reason)


class _HeldReads:
    """A read whose answer is here, but not yet let go."""

    def __init__(self, documents: LiveDocuments) -> None:
        self._documents = documents
        self.has_answer, self.go_on = asyncio.Event(), asyncio.Event()

    async def __call__(self, product_ids: list[str]) -> Sequence[Any]:
        answer = await self._documents(product_ids)
        self.has_answer.set()
        await self.go_on.wait()
        return answer


class _Told:
    """A cache that Redis tells of changes, and the reads that fill it."""

    def __init__(self, redis: Redis, tracked: Redis, silence_seconds_max: float) -> None:
        self.redis = redis
        self.local = _WatchedCache()
        self.keys = ProductKeys(PREFIX)
        self.documents = LiveDocuments(redis.mget, self.keys)
        self.tracking = Tracking(tracked, self.local, prefix=PREFIX, silence_seconds_max=silence_seconds_max)
        self.tasks: list[asyncio.Task[Any]] = []

    async def is_used(self) -> None:
        """Wait until it is."""

        def used() -> None:
            assert self.local.is_used

        await eventually(used)

    async def write(self, version: int, *, generation: int = 0) -> None:
        documents = GuardedDocuments(self.redis, ProductKeys(PREFIX, generation), ttl_seconds=LONG)
        assert await documents.store({ID: pack(version, b"{}")}) == 1

    async def has_told(self, generation: int = 0) -> None:
        """All changes until now are told: they come in their order."""
        other = uuid4()
        await self.redis.set(product_key(PREFIX, other, generation), b"")

        def is_told() -> None:
            assert str(other) in self.local.changed

        await eventually(is_told)

    async def read(self) -> None:
        await KeptDocuments(self.documents, self.keys, self.local)([NAME])

    async def held_read(self) -> tuple[_HeldReads, "asyncio.Task[Any]"]:
        """A read that has the answer of Redis."""
        held = _HeldReads(self.documents)
        reading = asyncio.create_task(KeptDocuments(held, self.keys, self.local)([NAME]))  # type: ignore[arg-type]
        self.tasks.append(reading)
        await held.has_answer.wait()
        return held, reading

    def version(self) -> int | None:
        entry = self.local.get(NAME)
        return None if entry is None else entry.document.stream_version


@asynccontextmanager
async def _told(
    redis_url: str, *, silence_seconds_max: float = LONG, tracked: Redis | None = None
) -> AsyncIterator[_Told]:
    redis = _client(redis_url)
    told = _Told(redis, tracked or redis, silence_seconds_max)
    told.tasks.append(asyncio.create_task(told.tracking.run()))
    try:
        yield told
    finally:
        await cancelled(*told.tasks)
        await redis.aclose()


def _client(url: str) -> Redis:
    return create_redis(
        RedisAddress(Secret(url)), socket_timeout_seconds=5, connect_timeout_seconds=5, connections_max=8
    )


async def test_what_is_not_taken_is_bounded_as_for_subscribers(redis_url: str) -> None:
    async with _told(redis_url) as told:
        await told.is_used()
        assert len(await told.redis.client_list(_type="pubsub")) == 1


async def _set(told: _Told, key: str) -> None:
    await told.redis.set(key, pack(2, b"{}"))


async def _fill(told: _Told, key: str) -> None:
    await BulkDocuments(told.redis, ttl_seconds=LONG).store([(key, pack(2, b"{}"))])


async def _write(told: _Told, _: str) -> None:
    await told.write(2)


async def _delete(told: _Told, key: str) -> None:
    await told.redis.delete(key)


async def _expire(told: _Told, key: str) -> None:
    await told.redis.pexpire(key, 1)


@pytest.mark.parametrize("change", [_write, _set, _fill, _delete, _expire])
async def test_every_way_to_change_a_document_is_told(
    redis_url: str, change: Callable[[_Told, str], Awaitable[None]]
) -> None:
    async with _told(redis_url) as told:
        await told.is_used()
        await told.write(1)
        await told.has_told()
        await told.read()
        assert told.version() == 1
        await change(told, product_key(PREFIX, ID))

        def is_gone() -> None:
            assert told.version() is None

        await eventually(is_gone)


async def _change(told: _Told) -> None:
    await told.write(2)

    def is_told() -> None:
        assert told.local.changed[-1:] == [NAME]

    await eventually(is_told)


async def _switch_the_generation(told: _Told) -> None:
    await told.redis.set(cache_generation_key(PREFIX), 3)
    await _closes(told, "generation")


async def _flush(told: _Told) -> None:
    await told.redis.flushall()
    await _closes(told, "emptied")


async def _drop(told: _Told) -> None:
    await told.redis.client_kill_filter(_type="pubsub")
    await _closes(told, "lost")


async def _closes(told: _Told, reason: FlushReason) -> None:
    def closed() -> None:
        assert reason in told.local.closed

    await eventually(closed)
    await told.is_used()


@pytest.mark.parametrize(
    ("event", "generation"), [(_change, 0), (_switch_the_generation, 3), (_flush, 0), (_drop, 0)]
)
async def test_what_is_told_between_a_read_and_its_keeping_wins(
    redis_url: str, event: Callable[[_Told], Awaitable[None]], generation: int
) -> None:
    async with _told(redis_url) as told:
        await told.is_used()
        await told.write(1)
        await told.has_told()
        told.local.changed.clear()
        held, reading = await told.held_read()
        await event(told)
        held.go_on.set()
        await reading
        assert told.version() is None
        await told.redis.set(product_key(PREFIX, ID, generation), pack(2, b"{}"))
        await told.has_told(generation)
        await told.read()
        assert told.version() == 2


async def test_after_a_switch_the_documents_of_the_new_generation_are_told_and_of_the_old_one_not(
    redis_url: str,
) -> None:
    async with _told(redis_url) as told:
        await told.is_used()
        await _switch_the_generation(told)
        await told.redis.set(product_key(PREFIX, ID, 3), pack(2, b"{}"))
        await told.has_told(generation=3)
        await told.read()
        assert told.version() == 2
        await told.redis.set(product_key(PREFIX, ID), pack(9, b"{}"))
        await told.has_told(generation=3)
        assert told.version() == 2
        await told.write(3, generation=3)

        def is_gone() -> None:
            assert told.version() is None

        await eventually(is_gone)


async def test_of_a_connection_that_has_fallen_silent_nothing_is_used_any_more(
    redis_url: str, redis_server: RedisServer
) -> None:
    async with TcpProxy("127.0.0.1", redis_server.port) as proxy:
        tracked = _client(redis_url.replace(f":{redis_server.port}/", f":{proxy.port}/"))
        try:
            async with _told(redis_url, silence_seconds_max=0.5, tracked=tracked) as told:
                await told.is_used()
                await told.write(1)
                await told.has_told()
                await told.read()
                assert told.version() == 1
                proxy.stall()
                await told.write(2)

                def is_unused() -> None:
                    assert told.version() is None

                await eventually(is_unused)
                await told.read()
                assert told.version() is None
                proxy.flow()
                proxy.cut()
                await _closes(told, "lost")
                await told.read()
                assert told.version() == 2
        finally:
            await tracked.aclose()


class _WritesElsewhere(Redis):
    """Calls go to another server than the tracking connection, as through a proxy."""

    async def set(self, *_: Any, **__: Any) -> Any:
        return True


async def test_a_server_that_does_not_tell_leaves_it_off_and_says_so_once(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("query_api.products.redis.tracked_server.PROOF_SECONDS_MAX", 0.05)
    monkeypatch.setattr("query_api.products.redis.tracking.REFUSED_SECONDS", 0.0)
    elsewhere = _WritesElsewhere.from_url(redis_url)
    with capture_logs() as lines:
        async with _told(redis_url, tracked=elsewhere) as told:

            def has_tried_twice() -> None:
                assert len(told.local.closed) > 1

            await eventually(has_tried_twice)
            await told.write(1)
            await told.read()
            assert told.version() is None
    await elsewhere.aclose()
    said = [(line["event"], line["error"]) for line in lines]
    assert said == [("the in-process cache is off", "NotTold: Redis did not tell of a change")]


async def test_a_user_without_the_right_leaves_it_off_and_says_so_once_until_it_is_on(
    redis_url: str, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("query_api.products.redis.tracking.REFUSED_SECONDS", 0.05)
    root = Redis.from_url(redis_url)
    try:
        await root.execute_command(
            *["ACL", "SETUSER", "reader", "on", ">secret", "~*", "resetchannels", "+@all", "-client"]
        )
        tracked = _client(redis_url.replace("redis://", "redis://reader:secret@"))
        with capture_logs() as lines:
            async with _told(redis_url, tracked=tracked) as told:

                def has_tried_twice() -> None:
                    assert len(told.local.closed) > 1

                await eventually(has_tried_twice)
                await root.execute_command(*["ACL", "SETUSER", "reader", "+client"])
                await told.is_used()
        await tracked.aclose()
        assert [line["event"] for line in lines] == [
            "the in-process cache is off",
            "the in-process cache is on again",
        ]
    finally:
        with suppress(Exception):
            await root.execute_command("ACL", "DELUSER", "reader")
        await root.aclose()
