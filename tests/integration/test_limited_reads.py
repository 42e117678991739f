"""Hot reads and usual reads of one caller count against one limit, and say so in the same headers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
import pytest_asyncio

from deploy.local.redis import RedisServer
from shared.contract.views import ProductDocument
from tests.counters import counted
from tests.eventually import eventually
from tests.integration.query_world import World, installation, product
from tests.integration.wire import get, wire
from tests.servers import DatabaseDsns

pytestmark = pytest.mark.servers
# None comes back within a test.
LIMITS = {"reads_per_second_max": 1 / 3600, "reads_burst_max": 4}


@pytest_asyncio.fixture
async def limited(read_model_dsns: DatabaseDsns, redis_url: str) -> AsyncIterator[World]:
    """A query API with a limit, whose counts may take as long as a busy machine needs."""
    async with (
        installation(read_model_dsns, redis_url, rate_limit_seconds_max=30.0, **LIMITS) as own,
        own.world() as world,
    ):
        yield world


@pytest.fixture
async def cached(limited: World) -> ProductDocument:
    document = product(version=3)
    await limited.store(document)
    await limited.cache(document)
    return document


def path_of(document: ProductDocument) -> str:
    return f"/v1/products/{document.id}"


async def test_hot_reads_are_refused_after_the_burst(limited: World, cached: ProductDocument) -> None:
    before = counted("rate_limit_decisions_total", budget="reads")
    answers = [await limited.served.get(path_of(cached)) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 4 + [429] * 2
    assert [answer.headers.get("cache-status") for answer in answers[:4]] == ["catalogue; hit"] * 4
    states = [answer.headers["ratelimit"] for answer in answers]
    assert [state.split(";")[:2] for state in states] == [
        ['"reads"', f"r={left}"] for left in (3, 2, 1, 0, 0, 0)
    ]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"reads";q=4;w=14400'}
    assert states[5].endswith(f"t={answers[5].headers['retry-after']}")
    problem = answers[5].json()
    assert (problem["code"], problem["request_id"]) == ("rate-limited", answers[5].headers["x-request-id"])
    assert counted("rate_limit_decisions_total", budget="reads") == before + 6


async def test_hot_reads_and_other_reads_have_one_budget(limited: World, cached: ProductDocument) -> None:
    uncached = product()
    await limited.store(uncached)
    wanted = [path_of(cached), "/v1/products", path_of(uncached), f"{path_of(cached)}?a=b", path_of(cached)]
    answers = [await limited.served.get(path) for path in wanted]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 400, 429]
    # A miss of the cache becomes a usual request, and is not counted again.
    assert [answer.headers["ratelimit"].split(";")[1] for answer in answers] == [
        "r=3",
        "r=2",
        "r=1",
        "r=0",
        "r=0",
    ]


async def test_pipelined_hot_reads_count_each_and_are_answered_in_order(
    limited: World, cached: ProductDocument
) -> None:
    async with wire(limited) as to:
        to.ask(*(get(cached) for _ in range(6)))
        answers = [await to.answer() for _ in range(6)]
    assert [status for status, _, _ in answers] == [200] * 4 + [429] * 2
    assert [headers["ratelimit"].split(";")[1] for _, headers, _ in answers] == [
        "r=3", "r=2", "r=1", "r=0", "r=0", "r=0",
    ]  # fmt: skip


async def test_readers_at_the_same_time_share_what_their_address_has(
    limited: World, cached: ProductDocument
) -> None:
    answers = await asyncio.gather(*(limited.served.get(path_of(cached)) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [200] * 4 + [429] * 8


async def test_one_caller_with_many_slow_queries_leaves_places_to_others(
    read_model_dsns: DatabaseDsns, redis_url: str
) -> None:
    """The table is locked, so each list waits; the greedy caller asks for far more than there are places."""
    places = {"requests_in_progress_max": 5, "requests_per_caller_max": 3, "trusted_proxies": "127.0.0.0/8"}
    greedy, modest = {"x-forwarded-for": "203.0.113.1"}, {"x-forwarded-for": "203.0.113.2"}
    async with (
        installation(read_model_dsns, redis_url, table_seconds_max=60, **places) as own,
        own.world() as world,
        locked(read_model_dsns.owner, "views.product_view") as lock,
    ):
        document = product()
        await world.cache(document)
        asked = [
            asyncio.create_task(world.served.get(f"/v1/products?limit={number}", headers=greedy))
            for number in range(1, 13)
        ]

        def must_be_refused() -> None:
            statuses = [each.result().status_code for each in asked if each.done()]
            assert statuses == [429] * 9

        await eventually(must_be_refused)
        # Not a hot read: the application answers it, from a place that the greedy caller cannot take.
        not_hot = {**modest, "if-match": '"1"'}
        assert (await world.served.get(path_of(document), headers=not_hot)).status_code == 200
        await lock.execute("ROLLBACK")
        assert sorted([(await each).status_code for each in asked]) == [200] * 3 + [429] * 9


@asynccontextmanager
async def locked(dsn: str, table: str) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    """A connection whose transaction lets nobody read the table."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("BEGIN")
        await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield connection
    finally:
        await connection.close()


async def test_without_redis_reads_are_counted_here_and_served(
    limited: World, cached: ProductDocument, redis_server: RedisServer
) -> None:
    redis_server.stop()
    answers = [await limited.served.get(path_of(cached)) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 4 + [429]
    assert answers[0].headers["cache-status"] == "catalogue; fwd=bypass"
    assert answers[0].headers["ratelimit"].startswith('"reads";r=3')
