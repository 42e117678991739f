"""Every answer of a port has the headers that protect browsers, however early the request is refused."""

import pytest

from shared.ops.http.answer_headers import AnswerHeaders, HeaderLines
from shared.ops.http.limits import ConnectionLimits
from shared.ops.settings import ApiSettings
from tests.unit.ops.http_wire import CHUNKED, GET, SampleApp, echo, serving, wire_to

SHOP = "https://shop.example.com"
ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}
REFUSED = {
    "400 malformed": b"junk\r\n\r\n",
    "400 no host": b"GET / HTTP/1.1\r\n\r\n",
    "400 broken chunk": CHUNKED + b"junk\r\n",
    "414 address": b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
    "431 head": b"GET / HTTP/1.1\r\nhost: x\r\na: " + b"a" * 70_000 + b"\r\n\r\n",
    "501 coding": b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
    "505 version": b"GET / HTTP/2.0\r\nhost: x\r\n\r\n",
}


def settings(**given: object) -> ApiSettings:
    return ApiSettings(_env_file=None, **given)  # type: ignore[call-arg,arg-type]


def from_shop(more: str = "", method: str = "GET", origin: str = SHOP) -> bytes:
    return f"{method} / HTTP/1.1\r\nhost: x\r\norigin: {origin}\r\n{more}\r\n".encode()


async def headers_of(request: bytes, headers: AnswerHeaders | None = None, **serve: object) -> dict[str, str]:
    async with serving(SampleApp(), headers=headers, **serve) as server, wire_to(server) as wire:  # type: ignore[arg-type]
        await wire.send(request)
        return (await wire.answer())[1]


@pytest.mark.parametrize("name", REFUSED)
async def test_what_the_protocol_refuses_has_the_headers_of_every_answer(name: str) -> None:
    async with serving(SampleApp()) as server, wire_to(server) as wire:
        await wire.send(REFUSED[name])
        status, headers, _ = await wire.answer()
    assert status == int(name.split()[0])
    assert headers.items() >= ALWAYS.items()
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


async def test_requests_that_arrive_too_slowly_or_are_too_many_get_them_too() -> None:
    late = ConnectionLimits(head_seconds_max=0.05, body_seconds_max=0.05)
    for request in (GET[:-2], echo(b"body")[:-1]):
        assert (await headers_of(request, limits=late)).items() >= ALWAYS.items()
    shed = await headers_of(GET, http_limit=0)
    assert shed.items() >= {**ALWAYS, "retry-after": "1", "cache-control": "no-store"}.items()


async def test_an_answer_of_the_application_has_them_and_names_no_server() -> None:
    headers = await headers_of(GET)
    assert headers.items() >= ALWAYS.items()
    assert not {"server", "strict-transport-security", "vary", "access-control-allow-origin"} & headers.keys()


async def test_hsts_is_sent_for_as_long_as_the_setting_says() -> None:
    headers = await headers_of(GET, settings(hsts_seconds=86_400).answer_headers(["GET"]))
    assert headers["strict-transport-security"] == "max-age=86400"


async def test_the_documentation_page_may_run_its_own_scripts_and_no_others() -> None:
    page = b"GET /docs?a=b HTTP/1.1\r\nhost: x\r\n\r\n"
    policy = (await headers_of(page, settings().answer_headers(["GET"])))["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    off = await headers_of(page, settings(docs_enabled=False).answer_headers(["GET"]))
    assert off.items() >= ALWAYS.items()


async def test_a_listed_origin_may_read_answers_and_refusals() -> None:
    headers = settings(cors_origins=f"https://other.example.com, {SHOP}").answer_headers(["GET", "HEAD"])
    for answer in (
        await headers_of(from_shop(), headers),
        await headers_of(from_shop(), headers, http_limit=0),
    ):
        assert answer["access-control-allow-origin"] == SHOP
        assert answer["vary"] == "Origin"
        assert {"ETag", "Consistency-Token", "Link", "RateLimit", "Retry-After", "X-Request-Id"} <= set(
            answer["access-control-expose-headers"].split(", ")
        )
        assert "access-control-allow-credentials" not in answer


async def test_a_preflight_is_answered_before_the_application() -> None:
    app = SampleApp()
    headers = settings(cors_origins=SHOP).answer_headers(["GET", "HEAD"])
    async with serving(app, headers=headers) as server, wire_to(server) as wire:
        await wire.send(from_shop("access-control-request-method: GET\r\n", "OPTIONS"))
        status, answer, _ = await wire.answer()
    assert (status, app.executed) == (204, [])
    assert answer["access-control-allow-origin"] == SHOP
    assert answer["access-control-allow-methods"] == "GET, HEAD"
    assert {"Authorization", "If-Match", "Consistency-Token"} <= set(
        answer["access-control-allow-headers"].split(", ")
    )
    assert answer.items() >= {**ALWAYS, "vary": "Origin"}.items()


@pytest.mark.parametrize("origin", ["https://evil.example.com", "null", f"{SHOP}.evil.example.com", ""])
async def test_an_origin_that_is_not_listed_gets_no_permission(origin: str) -> None:
    headers = settings(cors_origins=SHOP).answer_headers(["GET"])
    preflight = from_shop("access-control-request-method: GET\r\n", "OPTIONS", origin)
    for request in (from_shop(origin=origin), preflight):
        answer = await headers_of(request, headers)
        assert not [name for name in answer if name.startswith("access-control-")]
        assert answer["vary"] == "Origin"


@pytest.mark.parametrize("wrong", ["*", "null", "shop.example.com", f"{SHOP}/", f"{SHOP}/a", "https://a b*"])
def test_an_origin_that_no_browser_sends_is_refused_at_start(wrong: str) -> None:
    with pytest.raises(ValueError, match="each origin"):
        settings(cors_origins=wrong)


def test_header_lines_are_joined_again_for_another_list_only() -> None:
    lines, pairs = HeaderLines(), [(b"a", b"1"), (b"b", b"2")]
    first = lines.of(pairs)
    assert first == b"a: 1\r\nb: 2\r\n"
    assert lines.of(pairs) is first
    assert lines.of([(b"a", b"3")]) == b"a: 3\r\n"
