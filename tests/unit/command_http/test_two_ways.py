"""Requests of all kinds get the same answers and events, before the framework and in it."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from shared.access.scopes import Scope
from shared.rate_limits.api_limits import ApiLimits
from shared.rate_limits.budget import Budget
from shared.rate_limits.limits import KindOfRequests
from tests.guards import bearer, guard
from tests.unit.command_http.two_ways import Sent, World, two_ways

ONE, VARIANT = "/v1/products/{id}", "/v1/products/{id}/variants/{sku}"
JSON_TYPE = ("content-type", "application/json")
PRICE = b'{"amount":"7.50","currency":"EUR"}'
Worlds = tuple[World, World]

PATHS = [
    "/v1/products",
    ONE,
    VARIANT,
    f"{VARIANT}/price",
    f"{ONE}/publish",
    f"{ONE}/archive",
    f"{ONE}/restore",
    "/v1/products/{ID}/publish",
    "/v1/products/no-id",
    "/v1/products/01920000-0000-7000-8000-000000000000/publish",
    f"{ONE}/variants/S%2F1",
    f"{ONE}/variants/%ff",
    f"{ONE}/variants/%00",
    f"{ONE}/variants/a%20b/price",
    f"{ONE}/variants/{'x' * 300}",
    f"{ONE}/variants/{'x' * 5000}/price",
    f"{ONE}/variants//price",
    f"{ONE}/",
    f"{ONE}?a=b",
    f"{VARIANT}/price?access_token=x",
    f"{VARIANT}#part",
    f"{ONE}/publish/",
    "/v1//products",
    "/v1/products:batch",
    "/v1/products/{id}/variants/\xe9/price",
    "http://x/v1/products/{id}/publish",
    "/v1/products/{id}/price-history",
]
HEADERS = [
    JSON_TYPE,
    JSON_TYPE,
    JSON_TYPE,
    ("Content-Type", "application/merge-patch+json"),
    ("content-type", "application/json; charset=utf-8"),
    ("content-type", "application/json; charset=latin-1"),
    ("content-type", "text/plain"),
    ("content-type", ""),
    ("content-encoding", "gzip"),
    ("content-encoding", "identity"),
    ("idempotency-key", "one"),
    ("idempotency-key", '"one"'),
    ("idempotency-key", "two"),
    ("idempotency-key", ""),
    ("Idempotency-Key", "\xe9"),
    ("idempotency-key", "x" * 256),
    ("if-match", '"1"'),
    ("if-match", '"1", "2"'),
    ("if-match", "*"),
    ("if-match", "1"),
    ("if-match", 'W/"1"'),
    ("if-match", '"9"'),
    ("if-match", ""),
    ("if-none-match", "*"),
    ("if-none-match", '"1"'),
    ("if-unmodified-since", "x"),
    ("if-modified-since", "x"),
    ("import-id", "spring"),
    ("import-id", "a b"),
    ("x-request-id", "r-1"),
    ("x-request-id", "a b"),
    ("x-request-id", "r-" + "x" * 200),
    ("traceparent", "00-" + "a" * 32 + "-" + "b" * 16 + "-01"),
    ("traceparent", "nothing"),
    ("tracestate", "a=b"),
    ("connection", "close"),
    ("connection", "keep-alive"),
    ("origin", "https://shop.example"),
    ("te", "trailers"),
    ("expect", "100-continue"),
    ("accept", "text/html"),
    ("authorization", "Bearer x"),
    ("x-forwarded-for", "1.2.3.4"),
    ("upgrade", "h2c"),
    ("cookie", "a=b"),
]
BODIES = [
    b"",
    PRICE,
    PRICE,
    b'\xef\xbb\xbf{"amount":"7.50","currency":"EUR"}',
    b'{"amount":"7.5","currency":"JPY"}',
    b'{"amount":7.5,"currency":"EUR"}',
    b'{"amount":"1","amount":"2","currency":"EUR"}',
    b'{"amount":"1"',
    b"[]",
    b"null",
    b'{"amount":NaN,"currency":"EUR"}',
    b'{"amount":"9","currency":"EUR"}',
    b'{"amount":"1","currency":"EUR","more":1}',
    b"\xff",
    b"[" * 3000,
    b'{"name":"Another"}',
    b'{"name":"\\u0000"}',
    b'{"name":"\\ud800"}',
    b'{"name":null}',
    b'{"tags":["a","a"],"brand":"B\\u0301"}',
    b'{"attributes":{"a":1e999}}',
    b'{"attributes":{"a":{"b":[1,null]}}}',
    b'{"name":"Shirt","variants":[]}',
    b'{"name":"\\u200b","variants":[{"sku":"A","price":{"amount":"1","currency":"EUR"}}]}',
    b'{"name":"!!!","variants":[{"price":{"amount":"1","currency":"EUR"},"sku":"\xc3\xa9"}]}',
    b'{"price":{"amount":"5","currency":"EUR"}}',
    b'{"price":{"amount":"5","currency":"EUR"},"barcode":"1","options":{"s":"M"}}',
    b'{"slug":"a b"}',
    b'{"name":"' + b"x" * 70_000 + b'"}',
]
REQUESTS = st.builds(
    Sent,
    st.sampled_from(["POST", "PUT", "PATCH", "DELETE", "GET"]),
    st.sampled_from(PATHS),
    st.lists(st.sampled_from(HEADERS), max_size=4),
    st.sampled_from(BODIES),
    st.sampled_from([False, False, False, True]),
    st.sampled_from(["1.1", "1.1", "1.1", "1.0"]),
)
# Mostly good ones, so that their sequences come far.
GOOD = st.sampled_from(
    [
        Sent("PUT", f"{VARIANT}/price", [JSON_TYPE], PRICE),
        Sent(
            "PUT", f"{VARIANT}/price", [JSON_TYPE, ("idempotency-key", "k"), ("x-request-id", "r-2")], PRICE
        ),
        Sent("PUT", f"{VARIANT}/price", [JSON_TYPE, ("if-match", '"1"')], b'{"amount":"8","currency":"EUR"}'),
        Sent("PATCH", ONE, [JSON_TYPE], b'{"name":"Another"}'),
        Sent(
            "PUT", f"{ONE}/variants/other-{{sku}}", [JSON_TYPE], b'{"price":{"amount":"5","currency":"EUR"}}'
        ),
        Sent("DELETE", f"{ONE}/variants/other-{{sku}}"),
        Sent("DELETE", VARIANT),
        Sent("POST", f"{ONE}/publish", [("idempotency-key", "k")]),
        Sent("POST", f"{ONE}/archive"),
        Sent("POST", f"{ONE}/restore", [("connection", "close")]),
        Sent("DELETE", ONE, [("idempotency-key", "gone")]),
    ]
)


@pytest_asyncio.fixture(scope="module")
async def open_worlds() -> AsyncIterator[Worlds]:
    async with two_ways() as worlds:
        yield worlds


async def must_agree(worlds: Worlds, sent: Sequence[Sent], more: Sequence[tuple[str, str]] = ()) -> list[Any]:
    expected = await worlds[0].answers(sent, more)
    assert await worlds[1].answers(sent, more) == expected
    return expected


@given(sent=st.lists(REQUESTS | GOOD, min_size=1, max_size=6))
async def test_any_requests_are_answered_in_the_same_way(open_worlds: Worlds, sent: list[Sent]) -> None:
    await must_agree(open_worlds, sent)


@pytest.mark.parametrize("path", PATHS)
async def test_every_address_with_every_method(open_worlds: Worlds, path: str) -> None:
    sent = [
        Sent(method, path, [JSON_TYPE], body)
        for method in ("PATCH", "PUT", "POST", "DELETE")
        for body in (b"", PRICE)
    ]
    await must_agree(open_worlds, sent)


# The answer to an expectation comes in two parts.
@pytest.mark.parametrize(
    "header", [each for each in HEADERS if each[0] != "expect"], ids=lambda header: "-".join(header)[:40]
)
async def test_every_header_once_and_twice(open_worlds: Worlds, header: tuple[str, str]) -> None:
    await must_agree(
        open_worlds,
        [
            Sent("PUT", f"{VARIANT}/price", [JSON_TYPE, header], PRICE),
            Sent("PUT", f"{VARIANT}/price", [JSON_TYPE, header, header], PRICE),
            Sent("POST", f"{ONE}/publish", [header]),
        ],
    )


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
async def test_every_body(open_worlds: Worlds, body: bytes) -> None:
    paths = [("POST", "/v1/products"), ("PATCH", ONE), ("PUT", f"{VARIANT}/price"), ("PUT", VARIANT)]
    await must_agree(open_worlds, [Sent(method, path, [JSON_TYPE], body) for method, path in paths])


async def test_what_tokens_decide() -> None:
    write = bearer(Scope.PRODUCTS_WRITE, Scope.PRODUCTS_PUBLISH)["authorization"]
    others = [bearer(Scope.PRODUCTS_WRITE)["authorization"], bearer(Scope.PRODUCTS_PUBLISH)["authorization"]]
    imports = bearer(Scope.PRODUCTS_WRITE, Scope.PRODUCTS_IMPORT)["authorization"]
    async with two_ways(guard()) as worlds:
        for token in (write, *others, imports, "Bearer x", "Basic x", "", f"{write}x"):
            more = [("authorization", token)]
            for _ in range(2):  # the second time a good token is known
                await must_agree(
                    worlds,
                    [
                        Sent("PUT", f"{VARIANT}/price", [JSON_TYPE, *more], PRICE),
                        Sent("PUT", f"{VARIANT}/price", [JSON_TYPE, *more, *more], PRICE),
                        Sent("PUT", f"{VARIANT}/price", [JSON_TYPE, *more, ("import-id", "spring")], b"{}"),
                        Sent("PUT", f"{VARIANT}/price", [JSON_TYPE, *more, ("import-id", "may")], PRICE),
                        Sent("POST", f"{ONE}/publish", more),
                        Sent("POST", f"{ONE}/publish"),
                    ],
                    [("authorization", write)],
                )
        counter = worlds[1].counter
        assert counter is not None
        assert counter.answers > 20


async def test_what_limits_of_callers_decide() -> None:
    def limits() -> ApiLimits:
        return ApiLimits(
            usual=KindOfRequests(Budget("writes", 1 / 3600, 4), Budget("writes-address", 1 / 3600, 9))
        )

    change = Sent("PUT", f"{VARIANT}/price", [JSON_TYPE], PRICE)
    bad = Sent("PUT", f"{VARIANT}/price", [JSON_TYPE], b"{}")
    async with two_ways(limits=(limits(), limits())) as worlds:
        found = await must_agree(worlds, [change, bad, change, change, bad, change])
    assert [each[0] for each in found[:6]] == [200, 422, 200, 429, 429, 429]
    async with two_ways(limits=(ApiLimits(in_progress_max=1), ApiLimits(in_progress_max=1))) as worlds:
        assert [each[0] for each in (await must_agree(worlds, [change, bad]))[:2]] == [200, 422]
