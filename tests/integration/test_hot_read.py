"""The hot read on the wire: what HTTP allows around it, and what happens when it is not a plain hit after
all."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from shared.contract.views import ProductDocument, encode_document
from shared.telemetry.trace_context import TraceContext
from tests.integration.query_world import (
    LOCAL_CACHE,
    Installation,
    World,
    installation,
    module_installation,
    product,
    world,
)
from tests.integration.wire import get, wire
from tests.recorded_spans import SAMPLED, UNSAMPLED, parent_id_of, recorded_spans, span_id_of, trace_id_of
from tests.servers import DatabaseDsns
from tests.ways import Way

__all__ = ["world"]


@pytest_asyncio.fixture(scope="module", params=["from Redis", "from the process"])
async def shared_installation(
    read_model_of_module: DatabaseDsns,
    redis_url_of_module: str,
    way_to_views: Way,
    request: pytest.FixtureRequest,
) -> AsyncIterator[Installation]:
    """Both ways of a hit have to be the same on the wire."""
    changed = LOCAL_CACHE if request.param == "from the process" else {}
    async with module_installation(
        read_model_of_module, redis_url_of_module, way_to_views, **changed
    ) as shared:
        yield shared


@pytest.fixture
async def cached(world: World) -> ProductDocument:
    document = product(version=3)
    await world.keep(document)
    return document


async def test_one_connection_serves_one_read_after_the_other(world: World, cached: ProductDocument) -> None:
    async with wire(world) as to:
        for _ in range(3):
            to.ask(get(cached))
            status, headers, body = await to.answer()
            assert (status, body) == (200, encode_document(cached))
            assert "connection" not in headers
            to.ask(get(cached, '\nif-none-match: "3"'))
            assert (await to.answer())[0] == 304


async def test_pipelined_requests_are_answered_in_their_order(world: World, cached: ProductDocument) -> None:
    stored = product(version=7)
    await world.store(stored)
    async with wire(world) as to:
        to.ask(
            get(cached),
            get(stored),
            "GET /v1/nothing HTTP/1.1\nhost: localhost",
            get(cached, method="HEAD"),
            get(cached),
        )
        answers = [await to.answer(has_body=number != 3) for number in range(5)]
    assert [status for status, _, _ in answers] == [200, 200, 404, 200, 200]
    assert [headers.get("etag") for _, headers, _ in answers] == ['"3"', '"7"', None, '"3"', '"3"']
    assert answers[4][2] == encode_document(cached)


async def test_a_head_in_pieces_is_the_same_request(world: World, cached: ProductDocument) -> None:
    async with wire(world) as to:
        for piece in re.findall(r".{1,7}", get(cached).replace("\n", "\r\n") + "\r\n\r\n", re.DOTALL):
            to.writer.write(piece.encode())
            await to.writer.drain()
            await asyncio.sleep(0)
        assert (await to.answer())[2] == encode_document(cached)


@pytest.mark.parametrize(("version", "more"), [("1.1", "\nconnection: close"), ("1.0", "")])
async def test_a_connection_that_is_not_to_be_kept_is_closed(
    world: World, cached: ProductDocument, version: str, more: str
) -> None:
    async with wire(world) as to:
        to.ask(get(cached, more, version=version))
        status, headers, body = await to.answer()
        assert (status, headers["connection"], body) == (200, "close", encode_document(cached))
        assert await to.is_closed()


async def test_a_get_with_a_body_is_answered_and_the_body_is_not_the_next_request(
    world: World, cached: ProductDocument
) -> None:
    async with wire(world) as to:
        to.writer.write((get(cached, "\ncontent-length: 4").replace("\n", "\r\n") + "\r\n\r\nbody").encode())
        assert (await to.answer())[0] == 200
        to.ask(get(cached))
        assert (await to.answer())[0] == 200


async def test_a_value_that_is_no_document_is_answered_from_the_table(world: World) -> None:
    document = product(version=2)
    await world.store(document)
    await world.redis.set(f"catalogue:product:{document.id}", b"nonsense")
    answer = await world.served.get(f"/v1/products/{document.id}")
    assert (answer.status_code, answer.content) == (200, encode_document(document))


async def test_connections_that_redis_closed_meanwhile_cost_nobody_an_answer(
    world: World, cached: ProductDocument
) -> None:
    path = f"/v1/products/{cached.id}"
    assert (await world.served.get(path)).headers["cache-status"] == "catalogue; hit"
    await world.redis.client_kill_filter(_type="normal", skipme=True)
    assert (await world.served.get(path)).headers["cache-status"] == "catalogue; hit"


async def test_what_is_refused_after_a_hot_read_comes_after_its_answer(
    world: World, cached: ProductDocument
) -> None:
    async with wire(world) as to:
        to.ask(get(cached), get(cached), "junk")
        assert [(await to.answer())[0] for _ in range(3)] == [200, 200, 400]
        assert await to.is_closed()


async def test_a_reader_that_ends_its_side_gets_its_answer(world: World, cached: ProductDocument) -> None:
    async with wire(world) as to:
        to.ask(get(cached))
        to.writer.write_eof()
        status, _, body = await to.answer()
        assert (status, body) == (200, encode_document(cached))
        assert await to.is_closed()


@pytest.mark.parametrize("wanted", ['"3"', '"2"'])
async def test_a_hot_read_has_the_headers_that_any_answer_has(
    world: World, cached: ProductDocument, wanted: str
) -> None:
    path = f"/v1/products/{cached.id}"
    hot = await world.served.get(path, headers={"if-none-match": wanted})
    usual = await world.served.get("/v1/nothing")
    assert hot.headers["cache-status"] == "catalogue; hit"
    for name in ("x-content-type-options", "referrer-policy", "content-security-policy"):
        assert hot.headers[name] == usual.headers[name]
    assert "server" not in hot.headers


async def test_pages_of_a_listed_origin_may_read_a_hot_read(
    read_model_dsns: DatabaseDsns, redis_url: str
) -> None:
    shop, other = "https://shop.example.com", "https://other.example.com"
    async with (
        installation(read_model_dsns, redis_url, cors_origins=shop) as installed,
        installed.world() as world,
    ):
        document = product()
        await world.cache(document)
        path = f"/v1/products/{document.id}"
        allowed = await world.served.get(path, headers={"origin": shop})
        assert allowed.headers["cache-status"] == "catalogue; hit"
        assert allowed.headers["access-control-allow-origin"] == shop
        assert "ETag" in allowed.headers["access-control-expose-headers"]
        refused = await world.served.get(path, headers={"origin": other})
        assert "access-control-allow-origin" not in refused.headers
        assert [each.headers["vary"] for each in (allowed, refused)] == ["Origin", "Origin"]


async def test_a_hot_read_needs_one_host(world: World, cached: ProductDocument) -> None:
    for hosts in ("", "\nhost: localhost\nhost: localhost", "\nhost: a b"):
        async with wire(world) as to:
            to.ask(f"GET /v1/products/{cached.id} HTTP/1.1{hosts}")
            assert (await to.answer())[0] == 400


@pytest.mark.parametrize(
    ("ratio", "caller", "recorded"), [(0, None, 0), (0, SAMPLED, 1), (1, UNSAMPLED, 0), (1, None, 1)]
)
async def test_a_sampled_read_is_a_span_in_the_callers_trace(
    world: World, cached: ProductDocument, ratio: float, caller: TraceContext | None, recorded: int
) -> None:
    more = "" if caller is None else f"\ntraceparent: {caller.header}"
    with recorded_spans(ratio) as spans:
        async with wire(world) as to:
            to.ask(get(cached, more))
            assert (await to.answer())[0] == 200
    assert spans.names == ["GET /v1/products/{product_id}"] * recorded
    for one in spans.all:
        assert parent_id_of(one) == (None if caller is None else caller.span_id)
        assert (one.attributes or {})["catalogue.cache"] == "hit"


async def test_a_read_that_the_application_answers_is_one_request_and_its_parts(
    world: World, cached: ProductDocument
) -> None:
    stored = product(version=7)
    await world.store(stored)
    with recorded_spans() as spans:
        async with wire(world) as to:
            to.ask(get(stored, f"\ntraceparent: {SAMPLED.header}"))
            assert (await to.answer())[0] == 200
    request = spans.one("GET /v1/products/{product_id}")
    assert trace_id_of(request) == SAMPLED.trace_id
    for part in ("read cache", "read table"):
        assert parent_id_of(spans.one(part)) == span_id_of(request)
