"""What happens when things happen at the same time, or Redis is not there: never wrong, at worst slower."""

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from deploy.local.postgres import PostgresServer
from deploy.local.redis import RedisServer
from query_api.applied import Applied
from query_api.consistency.postgres import PostgresCheckpoints
from query_api.consistency.visibility import Consistency, Visibility
from query_api.errors import CacheUnavailable, Overloaded
from query_api.postgres.bounded_reads import BoundedReads
from query_api.products.cache_watch import CacheWatch
from query_api.products.find import FindProduct
from query_api.products.local_cache import LocalCache
from query_api.products.made_rows import MadeRows
from query_api.products.ports import ProductRow
from query_api.products.postgres.product_table import PostgresProductTable
from query_api.products.redis.cache_reads import cache_reads
from query_api.products.redis.guarded_calls import GuardedCalls
from query_api.products.redis.live_documents import LiveDocuments
from query_api.products.redis.product_cache import RedisProductCache
from query_api.products.written import WrittenProducts
from shared.contract.addresses import product_key
from shared.contract.cached_document import unpack
from shared.contract.consistency_token import decode_token
from shared.contract.views import encode_document
from shared.ops.breaker import CircuitBreaker
from shared.postgres.pool import create_pool
from shared.redis.guarded_documents import SETTLING_SECONDS
from shared.redis.product_keys import ProductKeys
from tests.counters import counted
from tests.eventually import eventually
from tests.integration.query_world import PREFIX, TOPIC, World, product, token_for
from tests.integration.query_world import own_world as world
from tests.integration.search_index import Index, index
from tests.servers import DatabaseDsns

__all__ = ["index", "world"]
DAY_SECONDS = 86_400


class _HeldTable(PostgresProductTable):
    """A table whose answer is in the reader's hand, but not yet let go."""

    def __init__(self, reads: BoundedReads) -> None:
        super().__init__(reads)
        self.selected, self.go_on = asyncio.Event(), asyncio.Event()
        self.selects = 0

    def reads_from(self, reads: BoundedReads) -> None:
        super().__init__(reads)

    async def by_id(self, product_id: UUID, applied: Applied | None = None) -> ProductRow | None:
        row = await super().by_id(product_id, applied)
        self.selects += 1
        self.selected.set()
        await self.go_on.wait()
        return row


class _NoLog:
    """The event log cannot tell: what is tested are the cache and the table."""

    async def at_least(self, product_id: UUID, stream_version: int, held: ProductRow | None) -> None:
        return None


async def _held(
    world: World, dsns: DatabaseDsns, *, watch_seconds_max: float = 0
) -> tuple[_HeldTable, FindProduct]:
    pool = await create_pool(
        dsns.reader,
        application_name="held",
        size_max=2,
        statement_timeout_seconds=5,
        connect_timeout_seconds=5,
    )
    table = _HeldTable(BoundedReads(pool, name="products", reads_max=2, waiting_max=2, wait_seconds_max=5))
    calls = GuardedCalls(CircuitBreaker(failures_max=1, open_seconds=1))
    keys = ProductKeys(PREFIX)
    reads = cache_reads(calls, LiveDocuments(world.redis.mget, keys))
    cache = RedisProductCache(
        world.redis, calls, reads, reads, reads,
        keys=keys, prefix=PREFIX, document_ttl_seconds=DAY_SECONDS,
        absent_ttl_seconds=5, pointer_ttl_seconds=5, fills_max=4,
    )  # fmt: skip
    watch = CacheWatch(seconds_max=watch_seconds_max, pause_seconds=0.005, rest_seconds=0, watchers_max=1)
    checkpoints = PostgresCheckpoints(world.api.products, topic=TOPIC)
    local = LocalCache(bytes_max=0, entries_max=1, seconds_max=1)
    return table, FindProduct(
        table,
        local,
        cache,
        Visibility(checkpoints, waiters_max=1),
        watch,
        WrittenProducts(_NoLog(), cache, MadeRows(rows_max=1, bytes_max=1)),
    )


async def test_a_late_fill_loses_against_what_was_stored_meanwhile(
    world: World, read_model_dsns: DatabaseDsns
) -> None:
    old, new = product(version=1, name="old"), None
    new = product(id=old.id, version=2, name="new")
    await world.store(old)
    table, find = await _held(world, read_model_dsns)
    reader = asyncio.create_task(find.by_id(old.id))
    await table.selected.wait()
    await world.cache(new)
    table.go_on.set()
    assert (await reader).stream_version == 1
    packed = await world.cached(old.id)
    assert packed is not None
    assert unpack(packed).body == encode_document(new)


async def test_a_late_fill_that_has_nothing_to_lose_against_after_a_flush_does_not_stay_for_long(
    world: World, read_model_dsns: DatabaseDsns
) -> None:
    old = product(version=1, name="old")
    await world.store(old)
    table, find = await _held(world, read_model_dsns)
    reader = asyncio.create_task(find.by_id(old.id))
    await table.selected.wait()
    await world.cache(product(id=old.id, version=2, name="new"))
    await world.redis.flushdb()
    table.go_on.set()
    await reader
    packed = await world.cached(old.id)
    assert packed is not None, "it may be what is right, and mostly is"
    assert unpack(packed).stream_version == 1
    assert await world.redis.pttl(product_key(PREFIX, old.id)) <= 1_100 * SETTLING_SECONDS


async def test_a_late_fill_does_not_bring_a_deleted_product_back(
    world: World, read_model_dsns: DatabaseDsns
) -> None:
    document = product(version=1)
    await world.store(document)
    table, find = await _held(world, read_model_dsns)
    reader = asyncio.create_task(find.by_id(document.id))
    await table.selected.wait()
    await world.cache_tombstone(document.id, 2)
    table.go_on.set()
    await reader
    assert (await world.served.get(f"/v1/products/{document.id}")).status_code == 404


async def test_the_cache_may_prove_a_write_before_the_view_has_it(
    world: World, read_model_dsns: DatabaseDsns
) -> None:
    old = product(version=2, name="old")
    await world.store(old)
    await world.cache(old)
    table, find = await _held(world, read_model_dsns, watch_seconds_max=30)
    consistency = Consistency(decode_token(token_for(old.id, 5, 3)), 30)
    reader = asyncio.create_task(find.by_id(old.id, consistency))
    await world.cache(product(id=old.id, version=3, name="new"))
    found = await reader
    assert (found.stream_version, found.cache, table.selects) == (3, "hit", 0)
    assert b'"name":"new"' in found.body


class _CountingPool:
    """Statements that run at the same time, at most; the first ones are held until `go_on`."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool
        self.running = self.most = self.all = 0
        self.go_on = asyncio.Event()

    async def fetch(self, sql: str, *parameters: Any) -> list[asyncpg.Record]:
        self.all += 1
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.go_on.wait()
            return await self._pool.fetch(sql, *parameters)
        finally:
            self.running -= 1


async def test_after_a_flush_each_product_is_read_once_and_few_at_the_same_time(
    world: World, read_model_dsns: DatabaseDsns
) -> None:
    documents = [product() for _ in range(20)]
    for document in documents:
        await world.store(document)
        await world.cache(document)
    table, find = await _held(world, read_model_dsns)
    pool = _CountingPool(world.api.products)
    table.reads_from(BoundedReads(pool, name="products", reads_max=3, waiting_max=99, wait_seconds_max=60))  # type: ignore[arg-type]
    table.go_on.set()
    await asyncio.gather(*(find.by_id(each.id) for each in documents))
    assert pool.all == 0
    await world.redis.flushdb()
    before = counted("table_reads_total", reads="products")
    readers = [asyncio.create_task(find.by_id(each.id)) for each in documents * 10]

    def all_wait() -> None:
        assert pool.running + counted("table_reads_waiting", reads="products") == len(documents)

    await eventually(all_wait)
    pool.go_on.set()
    assert {found.cache for found in await asyncio.gather(*readers)} == {"miss"}
    assert (pool.all, pool.most) == (len(documents), 3)
    assert counted("table_reads_total", reads="products") == before + len(documents)
    assert {found.cache for found in [await find.by_id(each.id) for each in documents]} == {"hit"}


async def test_many_readers_of_one_missing_product_make_one_query(
    world: World, read_model_dsns: DatabaseDsns
) -> None:
    document = product()
    await world.store(document)
    table, find = await _held(world, read_model_dsns)
    readers = [asyncio.create_task(find.by_id(document.id)) for _ in range(50)]
    await table.selected.wait()
    readers[0].cancel()
    table.go_on.set()
    outcomes = await asyncio.gather(*readers, return_exceptions=True)
    assert isinstance(outcomes[0], asyncio.CancelledError)
    assert len(set(outcomes[1:])) == 1
    assert table.selects == 1


@pytest.mark.parametrize("fault", ["kill", "pause"])
async def test_without_redis_every_read_is_answered_from_the_table(
    world: World, index: Index, redis_server: RedisServer, fault: str
) -> None:
    document = product(sku="S", slug="s", brand="B")
    await world.store(document)
    await world.cache(document)
    index.apply(document)
    await world.served.get(f"/v1/products/{document.id}")
    getattr(redis_server, fault)()
    try:
        paths = (str(document.id), "by-sku/S", "by-slug/s", "?sort=name", "?brand=B")
        for _ in range(3):
            for path in paths:
                answer = await world.served.get(f"/v1/products/{path}".replace("/?", "?"))
                assert answer.status_code == 200
                assert answer.headers["cache-status"] == "catalogue; fwd=bypass"
                assert document.name in answer.text
    finally:
        redis_server.ensure_running()

    async def is_hit_again() -> None:
        answer = await world.served.get(f"/v1/products/{document.id}")
        assert answer.headers["cache-status"] == "catalogue; hit"

    await eventually(is_hit_again)


async def test_without_redis_a_token_is_still_honoured(world: World, redis_server: RedisServer) -> None:
    document = product(version=2)
    await world.store(document)
    redis_server.kill()
    try:
        headers = {"consistency-token": token_for(document.id, 5, 2)}
        answer = await world.served.get(f"/v1/products/{document.id}", headers=headers)
        assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    finally:
        redis_server.ensure_running()


async def test_a_read_over_the_bound_is_refused_before_it_waits(read_model_dsns: DatabaseDsns) -> None:
    pool = await create_pool(
        read_model_dsns.reader, application_name="t", size_max=2, statement_timeout_seconds=5,
        connect_timeout_seconds=5,
    )  # fmt: skip
    async with pool:
        reads = BoundedReads(pool, name="products", reads_max=1, waiting_max=1, wait_seconds_max=5)
        outcomes = await asyncio.gather(
            *(reads.fetch("SELECT pg_sleep(0.05)") for _ in range(3)), return_exceptions=True
        )
    assert [type(outcome) for outcome in outcomes] == [list, list, Overloaded]


async def test_a_read_that_waits_too_long_for_its_turn_is_refused(read_model_dsns: DatabaseDsns) -> None:
    pool = await create_pool(
        read_model_dsns.reader, application_name="t", size_max=2, statement_timeout_seconds=5,
        connect_timeout_seconds=5,
    )  # fmt: skip
    async with pool:
        reads = BoundedReads(pool, name="products", reads_max=1, waiting_max=9, wait_seconds_max=0.001)
        outcomes = await asyncio.gather(
            *(reads.fetch("SELECT pg_sleep(0.1)") for _ in range(3)), return_exceptions=True
        )
    assert [type(outcome) for outcome in outcomes] == [list, Overloaded, Overloaded]


async def test_without_postgresql_what_is_cached_is_served_and_the_rest_is_503(
    world: World, postgres_server: PostgresServer
) -> None:
    cached, stored = product(), product(sku="S")
    await world.cache(cached)
    await world.store(stored)

    async def cached_is_served() -> None:
        answer = await world.served.get(f"/v1/products/{cached.id}")
        assert answer.status_code == 200, answer.text

    await asyncio.to_thread(postgres_server.kill)
    try:
        # Redis has a tenth of a second to answer, which is not always enough on a busy machine.
        await eventually(cached_is_served)
        for path in (f"/{stored.id}", "/by-sku/S", ""):
            answer = await world.served.get(f"/v1/products{path}")
            assert (answer.status_code, answer.json()["code"]) == (503, "read-model-unavailable")
            assert answer.headers["retry-after"] == "1"
        assert (await world.served.get("/v1/status")).status_code == 503
    finally:
        postgres_server.ensure_running()

    async def is_served_again() -> None:
        assert (await world.served.get("/v1/products/by-sku/S")).status_code == 200

    await eventually(is_served_again)


@pytest.mark.parametrize("rubbish", [b"", b"rubbish", b"9999999999999999L{", b"\xff" * 40])
async def test_rubbish_in_the_cache_is_a_miss(world: World, rubbish: bytes) -> None:
    document = product(sku="S", slug="s")
    await world.store(document)
    paths = ("by-sku/S", "by-slug/s", "?sort=name")
    for path in paths:
        await world.served.get(f"/v1/products/{path}".replace("/?", "?"))
    async for key in world.redis.scan_iter():
        if not key.decode().startswith(f"{PREFIX}:product:") or rubbish != b"9999999999999999L{":
            await world.redis.set(key, rubbish)
    for path in (str(document.id), *paths):
        answer = await world.served.get(f"/v1/products/{path}".replace("/?", "?"))
        assert answer.status_code == 200, answer.text


async def test_a_redis_that_refuses_is_a_bypass(world: World) -> None:
    document = product(sku="S")
    await world.store(document)
    await world.redis.config_set("requirepass", "secret")
    try:
        await world.redis.execute_command("AUTH", "secret")
        await world.redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        for path in (str(document.id), "by-sku/S"):
            answer = await world.served.get(f"/v1/products/{path}")
            assert (answer.status_code, answer.headers["cache-status"]) == (200, "catalogue; fwd=bypass")
    finally:
        await world.redis.execute_command("AUTH", "secret")
        await world.redis.config_set("requirepass", "")


async def test_a_dead_redis_is_left_alone_while_the_breaker_is_open() -> None:
    asked = 0

    async def dead(_: list[str]) -> list[bytes | None]:
        nonlocal asked
        asked += 1
        raise ConnectionError

    reads = cache_reads(GuardedCalls(CircuitBreaker(failures_max=2, open_seconds=60)), dead)
    for _ in range(5):
        with pytest.raises(CacheUnavailable):
            await reads.get("key")
    assert asked == 2
