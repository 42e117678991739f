"""Heads that a client repeats are answered without the parser: with the same answer, and never too many."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.local.redis import RedisServer
from query_api.products.http.hot_read import HotReadProtocol
from shared.access.scopes import Scope
from shared.contract.views import ProductDocument, encode_document
from tests.counters import counted
from tests.guards import bearer
from tests.integration.query_world import LOCAL_CACHE, REDIS_SECONDS_MAX, World, installation, product
from tests.integration.stalled_redis import behind_proxy, stalled
from tests.integration.wire import Wire, get, wire
from tests.servers import DatabaseDsns
from tests.tokens import ISSUER, public_document


@pytest_asyncio.fixture(params=["from Redis", "from the process"])
async def world(
    read_model_dsns: DatabaseDsns, redis_url: str, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    kept = LOCAL_CACHE if request.param == "from the process" else {}
    async with (
        installation(read_model_dsns, redis_url, redis_seconds_max=REDIS_SECONDS_MAX, **kept) as own,
        own.world() as one,
    ):
        yield one


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The addresses of parsed heads."""
    urls: list[bytes] = []
    usual = HotReadProtocol.on_headers_complete

    def noted(self: HotReadProtocol) -> None:
        urls.append(self.url)
        usual(self)

    monkeypatch.setattr(HotReadProtocol, "on_headers_complete", noted)
    return urls


async def _kept(world: World, *versions: int) -> list[ProductDocument]:
    documents = [product(version=version) for version in versions]
    for document in documents:
        await world.keep(document)
    return documents


async def _answered(to: Wire, head: str, document: ProductDocument) -> dict[str, str]:
    to.ask(head)
    status, headers, body = await to.answer()
    assert (status, body) == (200, encode_document(document))
    assert headers["etag"] == f'"{document.version}"'
    return headers


async def test_a_repeated_head_is_not_parsed_and_has_the_same_answer(
    world: World, parsed: list[bytes]
) -> None:
    one, two = await _kept(world, 1, 2)
    more = "\naccept: application/json"
    async with wire(world) as to:
        first = await _answered(to, get(one, more), one)
        other = await _answered(to, get(two, more), two)
        again = await _answered(to, get(one, more), one)
    assert len(parsed) == 1
    assert first.keys() == other.keys()
    for headers in (first, again):
        headers.pop("x-request-id")
        headers.pop("date")
    assert first == again


async def test_another_head_is_parsed_and_then_repeated(world: World, parsed: list[bytes]) -> None:
    (one,) = await _kept(world, 1)
    async with wire(world) as to:
        await _answered(to, get(one), one)
        for _ in range(2):
            to.ask(get(one, '\nif-none-match: "1"'))
            assert (await to.answer())[0] == 304
        await _answered(to, get(one), one)
        to.ask(get(one, method="HEAD"))
        assert (await to.answer(has_body=False))[0] == 200
    assert len(parsed) == 4


async def test_an_id_of_the_caller_is_its_own_each_time(world: World, parsed: list[bytes]) -> None:
    (one,) = await _kept(world, 1)
    async with wire(world) as to:
        for request_id in ("a", "a", "b"):
            headers = await _answered(to, get(one, f"\nx-request-id: {request_id}"), one)
            assert headers["x-request-id"] == request_id
    assert len(parsed) == 3


async def test_what_no_cache_has_is_parsed(world: World, parsed: list[bytes]) -> None:
    (one,) = await _kept(world, 1)
    stored, absent = product(version=7), product()
    await world.store(stored)
    async with wire(world) as to:
        await _answered(to, get(one), one)
        await _answered(to, get(stored), stored)
        to.ask(get(absent))
        assert (await to.answer())[0] == 404
        to.ask(get(one).replace(str(one.id), " " * 36))
        assert (await to.answer())[0] == 404
    assert len(parsed) == 4


async def test_several_heads_at_once_have_as_many_answers(world: World) -> None:
    one, two = await _kept(world, 1, 2)
    async with wire(world) as to:
        await _answered(to, get(one), one)
        for _ in range(3):
            to.ask(get(two), get(one))
            for document in (two, one):
                assert (await to.answer())[2] == encode_document(document)
        await _answered(to, get(two), two)


async def test_the_end_of_a_head_that_looks_like_a_head_is_not_remembered(
    world: World, parsed: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It came with the headers before it: they must not count for the next request."""
    (one,) = await _kept(world, 1)
    whole = get(one).replace("\n", "\r\n").encode() + b"\r\n\r\n"
    begun, usual = asyncio.Event(), HotReadProtocol.on_message_begin

    def noted(self: HotReadProtocol) -> None:
        usual(self)
        begun.set()

    monkeypatch.setattr(HotReadProtocol, "on_message_begin", noted)
    async with wire(world) as to:
        to.writer.write(f'GET /v1/products/{one.id} HTTP/1.1\r\nif-none-match: "1"\r\nx-first: '.encode())
        await begun.wait()
        to.writer.write(whole)
        assert (await to.answer())[0] == 304
        await _answered(to, get(one), one)
    assert len(parsed) == 2


async def test_more_that_arrives_while_redis_is_asked_is_answered_behind_it(
    world: World, redis_server: RedisServer
) -> None:
    one, two = await _kept(world, 1, 2)
    async with wire(world) as to:
        await _answered(to, get(one), one)
        redis_server.pause()
        try:
            for document in (two, one, two):
                to.ask(get(document))
                await to.writer.drain()
        finally:
            redis_server.resume()
        for document in (two, one, two):
            status, _, body = await to.answer()
            assert (status, body) == (200, encode_document(document))
        await _answered(to, get(one), one)


async def test_a_client_that_sends_no_more_gets_its_last_answer(world: World) -> None:
    (one,) = await _kept(world, 1)
    stored = product(version=7)
    await world.store(stored)
    for document in (one, stored):
        async with wire(world) as to:
            await _answered(to, get(one), one)
            to.ask(get(document))
            to.writer.write_eof()
            status, _, body = await to.answer()
            assert (status, body) == (200, encode_document(document))
            assert await to.is_closed()


async def test_a_dead_redis_is_waited_for_once(
    read_model_dsns: DatabaseDsns, redis_url: str, redis_server: RedisServer
) -> None:
    async with behind_proxy(read_model_dsns, redis_url, redis_server) as (world, proxy):
        (one,) = await _kept(world, 1)
        await world.store(one)
        async with wire(world) as to:
            await _answered(to, get(one), one)
            before = counted("cache_requests_total", result="bypass")
            with stalled(proxy):
                headers = await _answered(to, get(one), one)
        assert headers["cache-status"] == "catalogue; fwd=bypass"
        assert counted("cache_requests_total", result="bypass") == before + 1


async def test_a_token_is_checked_each_time_and_drafts_stay_hidden(
    read_model_dsns: DatabaseDsns, redis_url: str, parsed: list[bytes]
) -> None:
    access = {"auth_issuer": ISSUER, "auth_public_keys": public_document("first").decode()}
    unlimited = {"reads_per_second_max": 0, "reads_per_address_per_second_max": 0}
    reader = "\nauthorization: " + bearer(Scope.PRODUCTS_READ)["authorization"]
    async with (
        installation(read_model_dsns, redis_url, **LOCAL_CACHE, **access, **unlimited) as own,
        own.world() as world,
    ):
        (one,) = await _kept(world, 1)
        draft = product(status="draft")
        await world.keep(draft)
        async with wire(world) as to:
            for _ in range(3):
                await _answered(to, get(one, reader), one)
            to.ask(get(draft, reader))
            assert (await to.answer())[0] == 404
            to.ask(get(one))
            assert (await to.answer())[0] == 401
    assert len(parsed) == 4
