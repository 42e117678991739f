"""The export: the catalogue of one moment, whole or visibly cut off, for a bounded number of readers."""

import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import httpx
import pytest
import zstandard

from shared.contract.views import ProductDocument, encode_document
from tests.eventually import eventually
from tests.integration.query_world import (
    LOG_ID,
    TOPIC,
    World,
    installation,
    own_world,
    product,
    shared_installation,
    token_for,
    world,
)
from tests.servers import DatabaseDsns

__all__ = ["own_world", "shared_installation", "world"]

EXPORT = "/v1/products/export"
PLAIN = {"accept-encoding": "identity"}


def _lines(documents: list[ProductDocument]) -> bytes:
    ordered = sorted(documents, key=lambda one: one.id)
    return b"".join(encode_document(one) + b"\n" for one in ordered)


async def _pass_all(world: World, *positions: int) -> None:
    await world.database.executemany(
        "INSERT INTO views.projection_checkpoint VALUES ('product_view', $1, $2, 1, $3, $4)",
        [(TOPIC, partition, position, LOG_ID) for partition, position in enumerate(positions)],
    )


async def test_each_stored_document_is_a_line_in_the_order_of_the_ids(world: World) -> None:
    odd = product(name='"\\.\n\u2028\x01\x02', description="\\N\t\r\n,\x7f", attributes={"ä": ["\\", "\x1f"]})
    documents = [odd, *(product() for _ in range(20))]
    for one in (*documents, product(status="draft"), product(status="archived")):
        await world.store(one)
    gone = product()
    await world.store(gone)
    await world.delete(gone)
    answer = await world.served.get(EXPORT, headers=PLAIN)
    assert answer.status_code == 200
    assert answer.content == _lines(documents)
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["content-disposition"] == 'attachment; filename="products.ndjson"'
    assert answer.headers["product-count"] == "21"
    assert "accept-encoding" in answer.headers["vary"].lower()
    assert answer.headers["cache-control"] == "no-store"


async def test_an_empty_catalogue_is_an_empty_answer(world: World) -> None:
    answer = await world.served.get(EXPORT)
    assert (answer.status_code, answer.content, answer.headers["product-count"]) == (200, b"", "0")


async def test_other_statuses_are_exported_where_they_are_asked_for(world: World) -> None:
    documents = [product(status=status) for status in ("draft", "active", "archived")]
    for one in documents:
        await world.store(one)
    both = await world.served.get(f"{EXPORT}?status=archived,draft")
    assert both.content == _lines([documents[0], documents[2]])


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("status=deleted", "status"), ("status=", "status"), ("status=active&status=draft", "status"),
        ("format=xml", "format"), ("format=", "format"), ("limit=5", "limit"), ("cursor=abc", "cursor"),
        ("q=shirt", "q"), ("format=%ff", "format"),
    ],
)  # fmt: skip
async def test_a_wrong_parameter_is_named(world: World, query: str, parameter: str) -> None:
    for method in ("GET", "HEAD"):
        answer = await world.served.request(method, f"{EXPORT}?{query}")
        assert answer.status_code == 400
    answer = await world.served.get(f"{EXPORT}?{query}")
    assert answer.json()["errors"][0]["pointer"] == f"/{parameter}"


async def test_a_head_has_the_headers_and_no_body(world: World) -> None:
    await world.store(product())
    got, head = [await world.served.request(method, EXPORT) for method in ("GET", "HEAD")]
    assert head.content == b""
    ignored = {"date", "x-request-id", "transfer-encoding"}
    assert {name: value for name, value in head.headers.items() if name not in ignored} == {
        name: value for name, value in got.headers.items() if name not in ignored
    }


@pytest.mark.parametrize(
    ("positions", "log_position"),
    [
        ((7,) * 11 + (5,), 5),
        ((7,) * 11, 0),  # a partition that has applied nothing may have waiting events
        ((), 0),
    ],
)
async def test_the_log_position_is_the_smallest_that_all_partitions_have(
    world: World, positions: tuple[int, ...], log_position: int
) -> None:
    await _pass_all(world, *positions)
    answer = await world.served.head(EXPORT)
    assert answer.headers["log-position"] == str(log_position)


async def test_the_log_position_is_before_every_parked_event(world: World) -> None:
    """The checkpoint has passed it, but the product lacks it: a consumer has to get it from the feed."""
    await _pass_all(world, *range(100, 112))
    await world.database.execute(
        "INSERT INTO views.parked_event (projection, product_id, topic, partition, record_offset, "
        "record_timestamp, header_names, header_values, log_position, error_class, cause) "
        "VALUES ('product_view', $1, $2, 3, 9, 0, '{}', '{}', 42, 'decode', 'broken'), "
        "('analytics', $1, $2, 3, 9, 0, '{}', '{}', 17, 'decode', 'broken')",
        product().id, TOPIC,
    )  # fmt: skip
    answer = await world.served.head(EXPORT)
    assert answer.headers["log-position"] == "41"


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (None, None), ("", None), ("identity", None), ("gzip", "gzip"), ("GZIP;q=0.5", "gzip"),
        ("x-gzip", "gzip"), ("zstd", "zstd"), ("gzip, zstd", "zstd"), ("gzip;q=1, zstd;q=0.9", "gzip"),
        ("br, *", "zstd"), ("br;q=1, zstd;q=0, *;q=0.1", "gzip"), ("gzip;q=0", None), ("deflate, br", None),
        ("gzip;q=0.5, identity;q=0.9", None), ("identity;q=0, gzip;q=0.001", "gzip"), ("nonsense;;q=", None),
        ("*;q=0, gzip", "gzip"),
    ],
)  # fmt: skip
async def test_the_coding_is_the_one_that_the_client_wants_most(
    world: World, accepted: str | None, coding: str | None
) -> None:
    documents = [product(description="x" * 1000) for _ in range(10)]
    for one in documents:
        await world.store(one)
    request = world.served.build_request("GET", EXPORT)
    del request.headers["accept-encoding"]
    if accepted is not None:
        request.headers["accept-encoding"] = accepted
    answer = await world.served.send(request, stream=True)
    body = b"".join([piece async for piece in answer.aiter_raw()])
    assert answer.headers.get("content-encoding") == coding
    match coding:
        case "gzip":
            body = gzip.decompress(body)
        case "zstd":
            body = zstandard.ZstdDecompressor().decompressobj().decompress(body)
    assert body == _lines(documents)


@pytest.mark.parametrize("accepted", ["*;q=0", "identity;q=0", "identity;q=0, br"])
async def test_a_client_that_refuses_every_coding_is_refused(world: World, accepted: str) -> None:
    answer = await world.served.get(EXPORT, headers={"accept-encoding": accepted})
    assert (answer.status_code, answer.json()["code"]) == (406, "not-acceptable")


async def test_an_export_with_a_token_waits_for_its_write(world: World) -> None:
    one = product()
    headers = {"consistency-token": token_for(one.id, 7), "prefer": "wait=0"}
    behind = await world.served.get(EXPORT, headers=headers)
    assert (behind.status_code, behind.json()["code"]) == (503, "read-model-behind")
    await world.store(one)
    await world.pass_checkpoint(one.id, 7)
    assert (await world.served.get(EXPORT, headers=headers)).content == _lines([one])
    await _runs(world, 0)


async def test_an_entity_tag_is_not_met(world: World) -> None:
    assert (await world.served.get(EXPORT, headers={"if-match": '"3"'})).status_code == 412
    assert (await world.served.get(EXPORT, headers={"if-match": "*"})).status_code == 200


async def _store_much(world: World, products: int = 60) -> list[ProductDocument]:
    """More than the buffers between PostgreSQL and a client that does not read hold: 24 MB."""
    documents = [product(attributes={"text": "x" * 400_000}) for _ in range(products)]
    for one in documents:
        await world.store(one)
    return documents


@asynccontextmanager
async def _begun(world: World, headers: dict[str, str] = PLAIN) -> AsyncIterator[httpx.Response]:
    """An export of which the client has read the head only."""
    async with (
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{world.port}", timeout=30) as client,
        client.stream("GET", EXPORT, headers=headers) as answer,
    ):
        assert answer.status_code == 200
        yield answer


async def _runs(world: World, wanted: int) -> None:
    """So many transactions of exports are open."""

    async def assertion() -> None:
        found = await world.database.fetchval(
            "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) "
            "WHERE relation = 'views.product_view'::regclass "
            "AND application_name = 'query-api-exports' AND datname = current_database()"
        )
        assert found == wanted

    await eventually(assertion, seconds_max=60)


async def test_what_is_written_meanwhile_is_not_in_the_export(own_world: World) -> None:
    documents = await _store_much(own_world)
    async with _begun(own_world) as answer:
        for one in documents[30:]:
            await own_world.delete(one)
        await own_world.store(product())
        body = b"".join([piece async for piece in answer.aiter_raw()])
    assert body == _lines(documents)


async def test_more_exports_than_may_run_are_told_to_come_again(own_world: World) -> None:
    documents = await _store_much(own_world)
    async with _begun(own_world), _begun(own_world):
        refused = await own_world.served.get(EXPORT)
        assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
        assert int(refused.headers["retry-after"]) > 0
        assert (await own_world.served.get(f"/v1/products/{documents[0].id}")).status_code == 200
    await _runs(own_world, 0)
    assert (await own_world.served.get(EXPORT)).status_code == 200


async def test_an_export_ends_when_its_client_leaves(own_world: World) -> None:
    await _store_much(own_world)
    async with _begun(own_world):
        await _runs(own_world, 1)
    await _runs(own_world, 0)


async def test_a_client_that_does_not_read_is_cut_off(read_model_dsns: DatabaseDsns, redis_url: str) -> None:
    async with installation(read_model_dsns, redis_url, export_seconds_max=1.0) as one, one.world() as world:
        documents = await _store_much(world)
        async with _begun(world) as answer:
            await _runs(world, 0)
            with pytest.raises(httpx.RemoteProtocolError):
                assert b"".join([piece async for piece in answer.aiter_raw()]) != _lines(documents)


async def test_an_export_that_loses_postgresql_is_cut_off(
    own_world: World, read_model_dsns: DatabaseDsns
) -> None:
    await _store_much(own_world)
    async with _begun(own_world) as answer:
        await _runs(own_world, 1)
        reader = await asyncpg.connect(read_model_dsns.reader)
        terminated = await reader.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE application_name = 'query-api-exports' AND datname = current_database()"
        )
        await reader.close()
        assert terminated == 1
        with pytest.raises(httpx.RemoteProtocolError):
            await answer.aread()
    assert (await own_world.served.get(EXPORT)).status_code == 200


@pytest.mark.parametrize("accepted", ["gzip", "zstd"])
async def test_the_first_documents_can_be_read_while_the_others_come(own_world: World, accepted: str) -> None:
    await _store_much(own_world)
    async with _begun(own_world, {"accept-encoding": accepted}) as answer:
        begun = b""
        pieces = answer.aiter_bytes()
        while b"\n" not in begun:
            begun += await anext(pieces)
    assert json.loads(begun.partition(b"\n")[0])["status"] == "active"
