"""How the query API serves the console: policy, entity tags, codings, nothing where it is switched off."""

import gzip
from typing import Any

import httpx
import pytest
import zstandard
from fastapi import FastAPI

from query_api.console.files import static_files
from query_api.console.http import console_policies, console_routes
from query_api.http import problems
from query_api.settings import QuerySettings

PATHS = ["/console", *(f"/console/{name}" for name in static_files() if name != "index.html")]


def _settings(**more: Any) -> QuerySettings:
    return QuerySettings(_env_file=None, **more)  # type: ignore[call-arg]


def _client(**more: Any) -> httpx.AsyncClient:
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    for add in console_routes(_settings(**more)):
        add(app)
    problems.install(app)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://console.test")


async def test_each_file_has_its_type_and_is_asked_for_again() -> None:
    types = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml", "console": "text/html"}
    async with _client() as client:
        for path in PATHS:
            answer = await client.get(path)
            assert answer.status_code == 200
            assert answer.headers["content-type"].split(";")[0] == types[path.rpartition(".")[2].strip("/")]
            assert answer.headers["cache-control"] == "no-cache"
            assert answer.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("path", PATHS)
async def test_a_file_that_is_still_the_same_is_not_sent_again(path: str) -> None:
    async with _client() as client:
        tag = (await client.get(path)).headers["etag"]
        for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = await client.get(path, headers={"if-none-match": given})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert (await client.get(path, headers={"if-none-match": '"other"'})).status_code == 200


async def test_each_coding_has_the_same_content_and_another_tag() -> None:
    name = "vendor/uPlot.iife.min.js"
    content = static_files()[name].codings["identity"]
    decoded = {
        "gzip": gzip.decompress,
        "zstd": lambda coded: zstandard.ZstdDecompressor().decompress(coded),
        "identity": bytes,
    }
    tags = set()
    async with _client() as client:
        for coding, decode in decoded.items():
            request = client.build_request("GET", f"/console/{name}", headers={"accept-encoding": coding})
            answer = await client.send(request, stream=True)
            raw = b"".join([piece async for piece in answer.aiter_raw()])
            assert answer.headers.get("content-encoding", "identity") == coding
            assert decode(raw) == content
            assert int(answer.headers["content-length"]) == len(raw)
            tags.add(answer.headers["etag"])
        refused = await client.get(f"/console/{name}", headers={"accept-encoding": "identity;q=0, br"})
    assert len(tags) == len(decoded)
    assert refused.status_code == 406


async def test_a_head_has_the_headers_and_no_content() -> None:
    async with _client() as client:
        for path in PATHS[:3]:
            whole, head = await client.get(path), await client.head(path)
            assert (head.status_code, head.content, head.headers) == (200, b"", whole.headers)


async def test_licences_lists_and_folders_are_not_served() -> None:
    async with _client() as client:
        for path in ("vendor/LICENSE.uPlot", "vendor/versions.json", "pages", "../http.py", "index.html"):
            assert (await client.get(f"/console/{path}")).status_code == 404, path


def test_the_policy_of_the_page_allows_its_own_files_and_nothing_else() -> None:
    settings = _settings()
    headers = settings.answer_headers(("GET",), console_policies(settings))
    policy = dict(headers.of_page(b"/console", list(headers.always)))[b"content-security-policy"].decode()
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }


async def test_it_can_be_switched_off() -> None:
    assert console_policies(_settings(console_enabled=False)) == {}
    async with _client(console_enabled=False) as client:
        assert (await client.get("/console")).status_code == 404


async def test_an_address_with_a_slash_leads_to_the_page() -> None:
    async with _client() as client:
        answer = await client.get("/console/")
        assert (answer.status_code, answer.headers["location"]) == (308, "../console")
        assert str(answer.next_request.url if answer.next_request else "") == "http://console.test/console"
