"""The client of a cluster against three real nodes: routing, slots on their way, and a node that is away."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from uuid import UUID

import pytest
from redis.crc import key_slot
from redis.exceptions import ClusterCrossSlotError, RedisError, TryAgainError

from deploy.local.ports import HOST
from deploy.local.redis import RedisServer
from projector.errors import CannotGoOn, Unavailable
from projector.rebuild.ports import Record
from projector.rebuild.redis.generations import Generations
from projector.rebuild.redis.shadow import RedisShadow
from projector.views.product_cache.redis.documents import CachedProducts
from query_api.errors import CacheUnavailable
from query_api.products.local_cache import LocalCache
from query_api.products.redis.cluster_reads import (
    ClusterDocuments,
    ClusterMultiGet,
    ClusterReads,
    NodeBreakers,
    slot_of_product,
)
from query_api.products.redis.guarded_calls import GuardedCalls
from query_api.products.redis.kept_documents import KeptDocuments
from query_api.products.redis.tracking import Tracking
from shared.contract.addresses import CACHE_GROUP_TAGS
from shared.contract.cached_document import pack, unpack
from shared.ops.concurrency.waits import cancelled
from shared.ops.secret import Secret
from shared.rate_limits.redis import ClusterBuckets
from shared.redis.address import RedisAddress
from shared.redis.bulk_filling import bulk_documents
from shared.redis.client import create_redis
from shared.redis.cluster.client import ClusterRedis
from shared.redis.cluster.direct import ClusterCalls
from shared.redis.cluster.slots import slot_of
from shared.redis.guarded_documents import GuardedDocuments
from shared.redis.key_groups import SlotGroups, key_groups
from shared.redis.ping import redis_check
from shared.redis.product_keys import GenerationMoved
from tests.eventually import eventually
from tests.redis_servers import ClusterNode, RedisCluster, running
from tests.unit.projector.histories import new_product_id
from tests.unit.rate_limits.bucket_suite import SharedBucketsSuite

pytestmark = pytest.mark.servers
PREFIX = "catalogue"
SECONDS_MAX = 30.0
SHORT_SECONDS = 0.2


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    one = RedisCluster(tmp_path_factory.mktemp("cluster"))
    with running(one):
        yield one


@pytest.fixture(autouse=True)
def _emptied(cluster: RedisCluster) -> None:
    for node in cluster.nodes:
        with node.client as client:
            client.flushall()


def client_of(cluster: RedisCluster, seconds_max: float = SECONDS_MAX) -> ClusterRedis:
    client = create_redis(
        RedisAddress(Secret(cluster.url)),
        socket_timeout_seconds=seconds_max,
        connect_timeout_seconds=seconds_max,
        connections_max=4,
    )
    assert isinstance(client, ClusterRedis)
    return client


@pytest.fixture
async def redis(cluster: RedisCluster) -> AsyncIterator[ClusterRedis]:
    client = client_of(cluster)
    yield client
    await client.aclose()


class Reads:
    """Reads of documents as the query API wires them, with an in-process cache that is told of changes."""

    def __init__(self, redis: ClusterRedis, stack: AsyncExitStack, seconds_max: float = SECONDS_MAX) -> None:
        self.keys = SlotGroups(PREFIX)
        direct = ClusterCalls(redis, seconds_max=seconds_max)
        stack.push_async_callback(direct.close)
        self.local = LocalCache(bytes_max=10**6, entries_max=1_000, seconds_max=600)
        calls = GuardedCalls(NodeBreakers(redis))
        live = KeptDocuments(ClusterDocuments(direct, self.keys), self.keys, self.local)
        self.documents = ClusterReads(redis, calls, live, slot_of_product(self.keys))
        self.others = ClusterReads(redis, calls, ClusterMultiGet(direct), slot_of)
        self.tracking = Tracking(redis, self.local, prefix=PREFIX, silence_seconds_max=600)

    async def version(self, product_id: UUID) -> int | None:
        """As a reader gets it."""
        entry = self.local.get(str(product_id))
        if entry is not None:
            return entry.document.stream_version
        value = await self.documents.get(str(product_id))
        return None if value is None else unpack(value).stream_version

    async def versions(self, ids: Sequence[UUID]) -> list[int | None]:
        """All at once."""
        return await asyncio.gather(*map(self.version, ids))


@pytest.fixture
async def reads(redis: ClusterRedis) -> AsyncIterator[Reads]:
    async with AsyncExitStack() as stack:
        one = Reads(redis, stack)
        stack.push_async_callback(cancelled, asyncio.create_task(one.tracking.run()))
        yield one


def documents_of(redis: ClusterRedis) -> GuardedDocuments:
    return GuardedDocuments(redis, SlotGroups(PREFIX), ttl_seconds=600)


def ids_of_all_groups() -> list[UUID]:
    """One product of each group."""
    found: dict[str, UUID] = {}
    keys = SlotGroups(PREFIX)
    while len(found) < len(CACHE_GROUP_TAGS):
        product_id = new_product_id()
        ((group, _),) = keys.split([product_id])
        found.setdefault(group.generation_key, product_id)
    return list(found.values())


def slot_of_id(product_id: UUID) -> int:
    ((keys, _),) = SlotGroups(PREFIX).split([product_id])
    return key_slot(keys.generation_key.encode())


def nodes_of(cluster: RedisCluster, product_id: UUID) -> tuple[ClusterNode, ClusterNode]:
    """The node that has the product, and another one."""
    ((keys, _),) = SlotGroups(PREFIX).split([product_id])
    source = cluster.primary_of(keys.generation_key)
    return source, next(node for node in cluster.nodes if node is not source)


def move(cluster: RedisCluster, product_id: UUID) -> None:
    """The slot of the product, with all that it has, behind the back of the clients."""
    slot, (source, target) = slot_of_id(product_id), nodes_of(cluster, product_id)
    cluster.begin_migration(slot, source, target)
    while cluster.move_keys(slot, source, target, 100):
        pass
    cluster.end_migration(slot, source, target)


async def test_commands_scripts_and_pipelines_find_the_node_of_their_key(redis: ClusterRedis) -> None:
    keys = [f"key-{number}" for number in range(50)]
    await asyncio.gather(*(redis.set(key, key) for key in keys))
    assert await asyncio.gather(*map(redis.get, keys)) == [key.encode() for key in keys]
    get = redis.register_script("return redis.call('GET', KEYS[1])")
    assert await asyncio.gather(*(get(keys=[key]) for key in keys)) == [key.encode() for key in keys]
    async with redis.pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.strlen(key)
        assert await pipeline.execute() == [len(key) for key in keys]
    assert {key.decode() async for key in redis.scan_iter("key-*")} == set(keys)
    with pytest.raises(ClusterCrossSlotError):
        await redis.mget(keys)
    with pytest.raises(ValueError, match="DBSIZE has no key"):
        await redis.dbsize()
    with pytest.raises(ValueError, match="no transactions"):
        redis.pipeline()


async def test_a_slot_that_has_moved_is_followed_by_every_way(
    cluster: RedisCluster, redis: ClusterRedis, reads: Reads
) -> None:
    product_id, other = ids_of_all_groups()[:2]
    await documents_of(redis).store({product_id: pack(1, b"{}"), other: pack(1, b"{}")})
    assert await reads.versions([product_id, other]) == [1, 1]
    move(cluster, product_id)
    assert await reads.documents.get(str(product_id)) == pack(1, b"{}")
    move(cluster, product_id)
    assert await documents_of(redis).store({product_id: pack(2, b"{}"), other: pack(2, b"{}")}) == 2
    move(cluster, product_id)
    ((keys, _),) = SlotGroups(PREFIX).split([product_id])
    documents = [(key, b"%d" % number) for number, key in enumerate(keys.of(map(str, range(1_200))))]
    assert await bulk_documents(redis, ttl_seconds=600).store(documents) == 1_200
    assert await redis.mget([key for key, _ in documents]) == [value for _, value in documents]
    assert 0 < await redis.pttl(documents[-1][0]) <= 660_000


async def test_while_a_slot_is_on_its_way_no_reader_gets_an_older_version(
    cluster: RedisCluster, redis: ClusterRedis, reads: Reads
) -> None:
    """A reader may get nothing, and read the table; what it gets is as new as what was written before."""
    first = ids_of_all_groups()[0]
    slot, ids = slot_of_id(first), [first]
    while len(ids) < 8:
        one = new_product_id()
        ids += [one] if slot_of_id(one) == slot else []
    written = dict.fromkeys(ids, 1)
    documents = documents_of(redis)
    await documents.store({one: pack(1, b"{}") for one in ids})
    done = asyncio.Event()
    seen = 0

    async def write() -> None:
        while not done.is_set():
            for one in ids:
                version = written[one] + 1
                with suppress(TryAgainError):
                    await documents.store({one: pack(version, b"{}")})
                    written[one] = version

    async def read() -> None:
        """From Redis: a change reaches the process's own cache a moment later."""
        nonlocal seen
        while not done.is_set():
            for one in ids:
                at_least = written[one]
                with suppress(CacheUnavailable):
                    value = await reads.documents.get(str(one))
                    assert value is not None
                    assert unpack(value).stream_version >= at_least
                    seen += 1

    tasks = [asyncio.create_task(work()) for work in (write, read, read)]
    for _ in range(3):
        source, target = nodes_of(cluster, first)
        await asyncio.to_thread(cluster.begin_migration, slot, source, target)
        while await asyncio.to_thread(cluster.move_keys, slot, source, target, 1):
            assert not any(task.done() for task in tasks)
        await asyncio.to_thread(cluster.end_migration, slot, source, target)
    done.set()
    await asyncio.gather(*tasks)
    assert seen > 0

    async def readers_have_the_newest() -> None:
        assert await reads.versions(ids) == list(written.values())

    await eventually(readers_have_the_newest)


async def test_a_node_that_hangs_costs_its_own_groups_a_time_out_and_the_others_nothing(
    cluster: RedisCluster, redis: ClusterRedis
) -> None:
    ids = ids_of_all_groups()
    await documents_of(redis).store({one: pack(1, b"{}") for one in ids})
    async with AsyncExitStack() as stack:
        hurried = client_of(cluster, SHORT_SECONDS)
        stack.push_async_callback(hurried.aclose)
        reads = Reads(hurried, stack, SHORT_SECONDS)
        check = redis_check(RedisAddress(Secret(cluster.url)), stack, seconds_max=SHORT_SECONDS)
        assert await reads.versions(ids) == [1] * len(ids)
        await check()
        hung, _ = nodes_of(cluster, ids[0])
        hung.pause()
        try:
            answers = await asyncio.gather(*map(reads.version, ids), return_exceptions=True)
            for product_id, answer in zip(ids, answers, strict=True):
                if nodes_of_running(cluster, product_id, hung):
                    assert answer == 1
                else:
                    assert isinstance(answer, CacheUnavailable)
            with pytest.raises(RedisError):
                await check()
        finally:
            hung.resume()

        async def all_are_read() -> None:
            try:
                assert await reads.versions(ids) == [1] * len(ids)
            except CacheUnavailable as error:
                raise AssertionError(str(error)) from error

        await eventually(all_are_read)


def nodes_of_running(cluster: RedisCluster, product_id: UUID, hung: ClusterNode) -> bool:
    """Whether another node than the one that hangs has the product; nobody has moved a slot meanwhile."""
    slot = slot_of_id(product_id)
    with next(node for node in cluster.nodes if node is not hung).client as client:
        for (first, last), primary in _slots(client.execute_command("CLUSTER", "SLOTS")):
            if first <= slot <= last:
                return primary != hung.port
    raise AssertionError(f"no node has the slot {slot}")


def _slots(answer: Sequence[Sequence[object]]) -> Iterator[tuple[tuple[int, int], int]]:
    for first, last, primary, *_ in answer:
        yield (int(str(first)), int(str(last))), int(primary[1])  # type: ignore[index]


async def test_every_primary_tells_of_its_changes_and_a_flush_of_one_empties_all(
    cluster: RedisCluster, redis: ClusterRedis, reads: Reads
) -> None:
    ids, documents = ids_of_all_groups(), documents_of(redis)
    await documents.store({one: pack(1, b"{}") for one in ids})

    async def all_are_kept() -> None:
        await reads.versions(ids)
        assert [reads.local.get(str(one)) is not None for one in ids] == [True] * len(ids)

    def none_is_kept() -> None:
        assert [reads.local.get(str(one)) for one in ids] == [None] * len(ids)

    await eventually(all_are_kept)
    await documents.store({one: pack(2, b"{}") for one in ids})
    await eventually(none_is_kept)
    await eventually(all_are_kept)
    assert await reads.versions(ids) == [2] * len(ids)
    # Another generation of one group.
    ((keys, _),) = SlotGroups(PREFIX).split([ids[3]])
    await redis.set(keys.generation_key, 7)
    await eventually(none_is_kept)
    with pytest.raises(GenerationMoved):
        await documents.store({ids[3]: pack(3, b"{}")})
    assert await documents.store({ids[3]: pack(3, b"{}")}) == 1
    await eventually(all_are_kept)
    with cluster.nodes[0].client as client:
        client.flushall()
    await eventually(none_is_kept)


async def test_a_slot_found_elsewhere_empties_the_in_process_cache_at_once(
    cluster: RedisCluster, redis: ClusterRedis, reads: Reads
) -> None:
    one, moved = ids_of_all_groups()[:2]
    await documents_of(redis).store({one: pack(1, b"{}"), moved: pack(1, b"{}")})

    async def both_are_kept() -> None:
        await reads.versions([one, moved])
        assert reads.local.get(str(one)) is not None
        assert reads.local.get(str(moved)) is not None

    await eventually(both_are_kept)
    move(cluster, moved)
    assert await reads.documents.get(str(moved)) == pack(1, b"{}")
    assert reads.local.get(str(one)) is None
    assert reads.local.get(str(moved)) is None
    await eventually(both_are_kept)
    await documents_of(redis).store({moved: pack(2, b"{}")})

    async def change_is_told() -> None:
        assert await reads.version(moved) == 2

    await eventually(change_is_told)


async def test_other_keys_are_read_together_wherever_they_are(redis: ClusterRedis, reads: Reads) -> None:
    keys = [f"{PREFIX}:sku:{number}" for number in range(100)]
    await asyncio.gather(*(redis.set(key, key) for key in keys[::2]))
    found = await asyncio.gather(*map(reads.others.get, keys))
    assert found == [key.encode() if not number % 2 else None for number, key in enumerate(keys)]


async def test_a_node_that_forgets_its_scripts_gets_them_again(
    cluster: RedisCluster, redis: ClusterRedis
) -> None:
    product_id = new_product_id()
    await documents_of(redis).store({product_id: pack(1, b"{}")})
    for node in cluster.nodes:
        with node.client as client:
            client.script_flush()
    assert await documents_of(redis).store({product_id: pack(2, b"{}")}) == 1


@pytest.mark.parametrize(
    ("scheme", "is_cluster", "path", "text"),
    [
        ("redis", True, "/0", "CROSSSLOT|MOVED|same slot"),
        ("redis-cluster", False, "", "is not a node of a cluster"),
        ("redis-sentinel", False, "/0#mymaster", "is not a sentinel"),
    ],
)
async def test_an_address_of_the_wrong_kind_makes_the_projector_wait_and_parks_nothing(
    cluster: RedisCluster, redis_server: RedisServer, scheme: str, is_cluster: bool, path: str, text: str
) -> None:
    port = cluster.nodes[0].port if is_cluster else redis_server.port
    client = create_redis(
        RedisAddress(Secret(f"{scheme}://{HOST}:{port}{path}")),
        socket_timeout_seconds=SECONDS_MAX,
        connect_timeout_seconds=SECONDS_MAX,
        connections_max=1,
    )
    products = CachedProducts(client, key_groups(client, PREFIX), ttl_seconds=600, tombstone_ttl_seconds=600)
    with pytest.raises(Unavailable, match=text):
        await products.values([new_product_id() for _ in range(10)])
    await client.aclose()


class _Records:
    """What a rebuild of the cache keeps in PostgreSQL, and a process that is killed in its switch."""

    def __init__(self, generation: int) -> None:
        now = datetime.now(UTC)
        self.record = Record(
            "product_cache", "compared", UUID(int=1), 10, 10, 1, [], 0, generation, "", "", "[]", now, now
        )

    @asynccontextmanager
    async def owned(self, *, is_long: bool = False) -> AsyncIterator[None]:
        yield

    async def read(self) -> Record:
        return self.record

    async def replaces(self, phase: str, checkpoints: Sequence[Mapping[str, int]]) -> None:
        self.record = self.record._replace(checkpoints=json.dumps(checkpoints))

    async def switched(self, live: object) -> None:
        self.record = self.record._replace(phase="switched")


class _CaughtUp:
    failed: set[UUID] = set()
    reached = 10

    async def newest(self) -> int:
        return 10

    async def apply(self, upto: int, only: object = None) -> None:
        """Nothing has happened meanwhile."""


def shadow_of(redis: ClusterRedis, records: _Records) -> RedisShadow:
    return RedisShadow(
        redis, records, lambda _: _nobody(), key_prefix=PREFIX,
        ttl_seconds=600, tombstone_ttl_seconds=600, settling_seconds=60,
    )  # type: ignore[arg-type]  # fmt: skip


async def _nobody() -> AsyncIterator[list[UUID]]:
    yield []


async def test_a_switch_that_was_killed_half_way_is_right_for_all_products_and_is_resumed(
    redis: ClusterRedis, reads: Reads
) -> None:
    ids, catch_up = ids_of_all_groups(), _CaughtUp()
    await documents_of(redis).store({one: pack(1, b"{}") for one in ids})
    generations = Generations(redis, PREFIX)
    number = await generations.reserve()
    new = generations.same(number)
    filled = GuardedDocuments(redis, new, ttl_seconds=600, is_live=False)
    await filled.store({one: pack(2, b"{}") for one in ids})
    await generations.move_marks(new, 0, 10)
    records = _Records(number)
    # As far as a process came that was killed.
    await records.replaces("compared", [{"previous": 0}] * len(ids))
    half = (await generations.others(new))[: len(ids) // 2]
    assert await generations.freeze(half, "token")
    assert await generations.switch(half, "token", 10, UUID(int=1)) == [1] * len(half)
    assert set(await generations.live()) == {0, number}
    assert sorted(one or 0 for one in await reads.versions(ids)) == [1] * 12 + [2] * 12
    documents = documents_of(redis)
    for one in ids:  # a writer that knows the old generation of each group
        with suppress(GenerationMoved):
            await documents.store({one: pack(3, b"{}")})
        await documents.store({one: pack(3, b"{}")})
    assert {unpack(value).stream_version for value in await documents_now(redis, ids)} == {3}
    shadow = shadow_of(redis, records)
    await redis.set(generations.groups[-1].frozen_key, "somebody else's")
    with pytest.raises(CannotGoOn, match="freeze"):
        await shadow.switch(catch_up)
    assert set(await generations.live()) == {0, number}, "all of the rest or none"
    await asyncio.gather(*(redis.delete(keys.frozen_key) for keys in generations.groups))
    await shadow.switch(catch_up)
    assert await generations.live() == [number] * len(ids)
    assert records.record.phase == "switched"
    assert json.loads(records.record.checkpoints) == [{"previous": 0}] * len(ids)


async def documents_now(redis: ClusterRedis, ids: Sequence[UUID]) -> list[bytes]:
    keys = SlotGroups(PREFIX, await Generations(redis, PREFIX).live())
    return [await redis.get(group.of([one])[0]) for one in ids for group, _ in keys.split([one])]


async def test_a_number_that_another_process_takes_meanwhile_is_not_given_out(redis: ClusterRedis) -> None:
    generations = Generations(redis, PREFIX)
    first, second = await asyncio.gather(generations.reserve(), generations.reserve())
    assert first != second
    await redis.set(generations.groups[5].generation_key, 40)
    assert await generations.reserve() == 41


class TestClusterBuckets(SharedBucketsSuite):
    @pytest.fixture
    async def buckets(self, redis: ClusterRedis) -> AsyncIterator[ClusterBuckets]:
        calls = ClusterCalls(redis, seconds_max=SECONDS_MAX)
        yield ClusterBuckets(redis, calls, prefix=PREFIX)
        await calls.close()
