"""The Redis client against a real Redis, and against servers that behave worse than any real one."""

from collections.abc import AsyncIterator
from functools import partial

import pytest
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, ConnectionError, OutOfMemoryError, TimeoutError  # noqa: A004

from deploy.local.ports import free_port
from shared.contract.cached_document import pack
from shared.ops.secret import Secret
from shared.redis.address import RedisAddress
from shared.redis.bulk_documents import KEYS_PER_STRETCH, BulkDocuments
from shared.redis.client import create_redis
from shared.redis.direct_calls import DirectCalls
from shared.redis.direct_script import DirectScript
from shared.redis.errors import is_transient
from shared.redis.guarded_documents import SETTLING_SECONDS, GuardedDocuments
from shared.redis.product_keys import ProductKeys
from tests.silent_server import silent_server
from tests.unit.projector.histories import new_product_id

pytestmark = pytest.mark.servers


def client_of(url: str, *, connections_max: int = 4, socket_timeout_seconds: float = 30) -> Redis:
    return create_redis(
        RedisAddress(Secret(url)),
        socket_timeout_seconds=socket_timeout_seconds,
        connect_timeout_seconds=30,
        connections_max=connections_max,
    )


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = client_of(redis_url)
    yield client
    await client.aclose()


async def test_answers_are_bytes(redis: Redis) -> None:
    await redis.set("plumbing:bytes", b"\xff\x00", px=60_000)
    assert await redis.get("plumbing:bytes") == b"\xff\x00"


async def test_a_pooled_connection_that_the_server_closed_is_replaced_without_an_error(
    redis: Redis, redis_url: str
) -> None:
    connection_id = await redis.client_id()
    other = client_of(redis_url)
    await other.client_kill_filter(_id=connection_id)
    await other.aclose()
    assert await redis.client_id() != connection_id


async def test_a_refused_connection_is_transient() -> None:
    client = client_of(f"redis://127.0.0.1:{free_port()}/0")
    with pytest.raises(ConnectionError) as refused:
        await client.get("x")
    assert is_transient(refused.value)
    await client.aclose()


async def test_a_server_that_accepts_and_never_answers_costs_two_attempts_and_no_more() -> None:
    async with silent_server() as (port, accepted):
        client = client_of(f"redis://127.0.0.1:{port}/0", socket_timeout_seconds=0.05)
        with pytest.raises(TimeoutError) as timed_out:
            await client.get("x")
        assert is_transient(timed_out.value)
        assert len(accepted) == 2
        await client.aclose()


async def test_a_busy_pool_makes_a_caller_wait_and_then_fail_as_transient(redis_url: str) -> None:
    client = client_of(redis_url, connections_max=1, socket_timeout_seconds=0.05)
    held = await client.connection_pool.get_connection()
    with pytest.raises(ConnectionError, match="No connection available") as busy:
        await client.get("x")
    assert is_transient(busy.value)
    await client.connection_pool.release(held)
    assert await client.ping()
    await client.aclose()


async def test_a_wrong_password_is_a_mistake_and_not_an_outage(redis_url: str) -> None:
    client = client_of(redis_url.replace("redis://", "redis://nobody:wrong@"))
    with pytest.raises(AuthenticationError) as refused:
        await client.ping()
    assert not is_transient(refused.value)
    await client.aclose()


async def test_a_wrong_command_is_a_bug_and_not_an_outage(redis: Redis) -> None:
    await redis.set("plumbing:text", "x", px=60_000)
    with pytest.raises(Exception, match="WRONGTYPE") as wrong:
        await redis.lpush("plumbing:text", "y")
    assert not is_transient(wrong.value)


async def test_documents_in_bulk_are_all_there_with_their_time_to_live(redis: Redis) -> None:
    documents = [(f"plumbing:bulk:{number}", b"%d" % number) for number in range(2 * KEYS_PER_STRETCH + 1)]
    assert await BulkDocuments(redis, ttl_seconds=600).store(documents) == len(documents)
    assert await redis.mget([key for key, _ in documents]) == [content for _, content in documents]
    assert all([0 < await redis.pttl(documents[at][0]) <= 660_000 for at in (0, KEYS_PER_STRETCH, -1)])
    assert await redis.ping(), "the connection speaks again"


async def test_a_redis_that_refuses_documents_in_bulk_says_why(redis: Redis) -> None:
    documents = [(f"plumbing:refused:{number}", b"x" * 1_000) for number in range(10)]
    before = await redis.config_get("maxmemory*")
    await redis.config_set("maxmemory-policy", "noeviction")
    await redis.config_set("maxmemory", 1)
    try:
        with pytest.raises(OutOfMemoryError, match="maxmemory"):
            await BulkDocuments(redis, ttl_seconds=600).store(documents)
    finally:
        await redis.config_set("maxmemory", before["maxmemory"])
        await redis.config_set("maxmemory-policy", before["maxmemory-policy"])
    assert await redis.exists(*[key for key, _ in documents]) == 0


async def test_after_a_loss_documents_live_shortly_until_the_cache_has_settled(redis: Redis) -> None:
    keys = ProductKeys("plumbing")
    document, tombstone, later = (new_product_id() for _ in range(3))
    documents = GuardedDocuments(redis, keys, ttl_seconds=900)
    await documents.store({document: pack(1, b"{}"), tombstone: pack(2, None)})
    lives, stays = [await redis.pttl(key) for key in keys.of([document, tombstone])]
    assert 0 < lives <= 1_100 * SETTLING_SECONDS
    assert stays >= 800_000, "nothing comes after a deletion"
    lost_nothing_since = int(await redis.get(keys.since_key) or 0)
    await redis.set(keys.since_key, lost_nothing_since - int(1_100 * SETTLING_SECONDS))
    await documents.store({later: pack(1, b"{}")})
    assert await redis.pttl(*keys.of([later])) >= 800_000


async def test_what_was_to_live_shortly_does_not_live_longer_for_a_loss(redis: Redis) -> None:
    keys, product_id = ProductKeys("plumbing"), new_product_id()
    await GuardedDocuments(redis, keys, ttl_seconds=5).store({product_id: pack(1, b"{}")})
    assert 0 < await redis.pttl(*keys.of([product_id])) <= 5_500


async def test_a_script_is_sent_to_a_server_that_does_not_know_it(redis: Redis) -> None:
    keys, product_id = ProductKeys("plumbing"), new_product_id()
    calls = DirectCalls(redis, seconds_max=5)
    documents = GuardedDocuments(redis, keys, ttl_seconds=5, register=partial(DirectScript, calls))
    try:
        for version in (1, 2):
            await redis.script_flush()
            assert await documents.store({product_id: pack(version, b"{}")}) == 1
        assert await documents.store({product_id: pack(1, b"{}")}) == 0
    finally:
        await calls.close()
