"""A primary dies, hangs or changes places with its replica: clients follow, and nobody reads what is old."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared.contract.cached_document import pack, unpack
from shared.ops.secret import Secret
from shared.redis.address import RedisAddress
from shared.redis.client import create_redis
from shared.redis.direct_calls import DirectCalls
from shared.redis.errors import is_transient
from shared.redis.guarded_documents import GuardedDocuments
from shared.redis.key_groups import key_groups
from shared.redis.ping import redis_check
from tests.eventually import eventually
from tests.redis_servers import RedisCluster, ReplicatedRedis, passing, running
from tests.unit.projector.histories import new_product_id

pytestmark = pytest.mark.servers
SECONDS_MAX = 3.0


@pytest.fixture
def replicated(tmp_path: Path) -> Iterator[ReplicatedRedis]:
    """New for each test: the servers take longer to become friends again than to start."""
    one = ReplicatedRedis(tmp_path / "replicated")
    with running(one):
        yield one


def client_of(url: str) -> Redis:
    return create_redis(
        RedisAddress(Secret(url)),
        socket_timeout_seconds=SECONDS_MAX,
        connect_timeout_seconds=SECONDS_MAX,
        connections_max=4,
    )


@pytest.fixture
async def redis(replicated: ReplicatedRedis) -> AsyncIterator[Redis]:
    client = client_of(replicated.url)
    yield client
    await client.aclose()


def port_of(redis: Redis) -> Callable[[], Awaitable[int]]:
    """The port of the server that answers."""

    async def port() -> int:
        with passing():
            return int((await redis.info("server"))["tcp_port"])

    return port


async def test_a_primary_that_dies_is_replaced_for_pooled_and_direct_connections(
    replicated: ReplicatedRedis, redis: Redis
) -> None:
    old = replicated.primary()
    port, calls = port_of(redis), DirectCalls(redis, seconds_max=SECONDS_MAX)
    assert await port() == old.port
    get = b"*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n"
    await redis.set("key", "before")
    assert await redis.wait(1, 5_000) == 1
    assert await calls(get) == b"before"
    old.kill()

    async def another_answers() -> None:
        assert await port() != old.port
        with suppress(RedisError):
            assert await calls(get) == b"before"
            return
        raise AssertionError("no answer over a direct connection")

    await eventually(another_answers)
    await redis.set("key", "after")
    assert await calls(get) == b"after"
    await calls.close()


async def test_servers_that_change_places_are_followed_by_connections_that_stay_open(
    replicated: ReplicatedRedis, redis: Redis
) -> None:
    old, port = replicated.primary(), port_of(redis)
    held = await redis.connection_pool.get_connection()
    assert await port() == old.port
    replicated.fail_over()

    async def the_other_answers() -> None:
        assert await port() != old.port

    await eventually(the_other_answers)
    with pytest.raises(RedisError) as refused:
        await held.send_command("SET", "key", "lost")
    assert is_transient(refused.value)
    await redis.connection_pool.release(held)


async def test_a_primary_that_slept_through_its_replacement_is_not_asked_any_more(
    replicated: ReplicatedRedis, redis: Redis
) -> None:
    """It wakes up, is still a primary in its own eyes, and its connections are still open."""
    old = replicated.primary()
    calls = DirectCalls(redis, seconds_max=SECONDS_MAX)
    get = b"*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n"
    await redis.set("key", "old")
    assert await calls(get) == b"old"
    old.pause()

    async def is_written_elsewhere() -> None:
        with passing():
            assert await redis.set("key", "new")

    try:
        await eventually(is_written_elsewhere)
    finally:
        old.resume()
    for _ in range(200):
        with suppress(RedisError):
            assert await calls(get) == b"new"
    await calls.close()


async def test_sentinels_that_are_all_away_cost_nothing_while_the_primary_works(
    replicated: ReplicatedRedis, redis: Redis
) -> None:
    misnamed = client_of(replicated.url.replace("#catalogue", "#nobody"))
    with pytest.raises(RedisError, match="a sentinel does not know the primary 'nobody'"):
        await misnamed.ping()
    await misnamed.aclose()
    port = port_of(redis)
    assert await port() == replicated.primary().port
    for sentinel in replicated.sentinels:
        sentinel.kill()
    for _ in range(50):
        assert await port()
    async with AsyncExitStack() as stack:
        stranger = client_of(replicated.url)
        stack.push_async_callback(stranger.aclose)
        with pytest.raises(RedisError) as refused:
            await stranger.ping()
        assert is_transient(refused.value)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    one = RedisCluster(tmp_path_factory.mktemp("cluster"), replicas=True)
    with running(one):
        yield one


async def test_a_node_of_a_cluster_that_dies_is_replaced_by_its_replica(cluster: RedisCluster) -> None:
    redis = client_of(cluster.url)
    keys = key_groups(redis, "catalogue")
    documents = GuardedDocuments(redis, keys, ttl_seconds=600)
    ids = [new_product_id() for _ in range(100)]
    await documents.store({one: pack(1, b"{}") for one in ids})
    for primary in cluster.primaries:
        with primary.client as client:
            assert client.wait(1, 5_000) == 1
    stack = AsyncExitStack()
    check = redis_check(RedisAddress(Secret(cluster.url)), stack, seconds_max=SECONDS_MAX)
    await check()
    cluster.primaries[0].kill()
    outcomes = await asyncio.gather(
        *(documents.store({one: pack(2, b"{}")}) for one in ids), return_exceptions=True
    )
    assert outcomes.count(1) > 0, "the groups of the other nodes"
    assert all(is_transient(one) for one in outcomes if isinstance(one, Exception))

    async def all_are_written() -> None:
        with passing():
            await documents.store({one: pack(2, b"{}") for one in ids})

    await eventually(all_are_written)
    for group, some in keys.split(ids):
        values = await redis.mget(group.of(some))
        assert [unpack(value).stream_version for value in values] == [2] * len(some)

    async def readiness_has_followed() -> None:
        with passing():
            await check()

    await eventually(readiness_has_followed)
    await redis.aclose()
    await stack.aclose()
