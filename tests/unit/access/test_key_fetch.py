"""What an issuer's answer may be, over real HTTP: anything else is no set of keys."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from deploy.local.ports import free_port
from shared.access.errors import KeysUnavailable
from shared.access.key_fetch import KeyFetch, is_protected
from shared.access.keys import KEYS_BYTES_MAX
from tests.tokens import public_document
from tests.unit.access.issuer_stand_in import IssuerStandIn, issuer_stand_in

DISCOVERY = "/.well-known/openid-configuration"


@pytest.fixture
async def issuer() -> AsyncIterator[IssuerStandIn]:
    async with issuer_stand_in() as made:
        made.publish("/keys", public_document("first"))
        made.publish(DISCOVERY, _discovery(made.url, f"{made.url}/keys"))
        yield made


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as made:
        yield made


def _discovery(issuer: str, jwks_uri: str) -> bytes:
    return json.dumps({"issuer": issuer, "jwks_uri": jwks_uri}).encode()


async def test_the_keys_are_where_the_discovery_document_says(
    issuer: IssuerStandIn, client: httpx.AsyncClient
) -> None:
    assert list(await KeyFetch(client, issuer.url, "", seconds_max=5)()) == ["first"]
    assert issuer.asked == [DISCOVERY, "/keys"]


async def test_a_direct_address_needs_no_discovery(issuer: IssuerStandIn, client: httpx.AsyncClient) -> None:
    fetch = KeyFetch(client, "https://issuer.test", f"{issuer.url}/keys", seconds_max=5)
    assert list(await fetch()) == ["first"]
    assert issuer.asked == ["/keys"]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"<html>", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "not of this issuer"),
        (_discovery("https://else.test", "https://else.test/keys"), "not of this issuer"),
        (b'{"issuer": "ISSUER", "jwks_uri": "http://else.test/keys"}', "names no https address"),
        (b'{"issuer": "ISSUER", "jwks_uri": "file:///etc/passwd"}', "names no https address"),
        (b'{"issuer": "ISSUER", "jwks_uri": ["https://else.test"]}', "names no https address"),
        (b'{"issuer": "ISSUER"}', "names no https address"),
    ],
)
async def test_a_discovery_document_that_cannot_be_trusted_leads_nowhere(
    issuer: IssuerStandIn, client: httpx.AsyncClient, document: bytes, reason: str
) -> None:
    issuer.publish(DISCOVERY, document.replace(b"ISSUER", issuer.url.encode()))
    with pytest.raises(KeysUnavailable, match=reason):
        await KeyFetch(client, issuer.url, "", seconds_max=5)()
    assert issuer.asked == [DISCOVERY]


async def test_a_redirect_is_not_followed(issuer: IssuerStandIn, client: httpx.AsyncClient) -> None:
    issuer.publish("/moved", b"", "302 Found", f"location: {issuer.url}/keys\r\n")
    with pytest.raises(KeysUnavailable, match="status 302"):
        await KeyFetch(client, "https://issuer.test", f"{issuer.url}/moved", seconds_max=5)()
    assert issuer.asked == ["/moved"]


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        ("500 Internal Server Error", public_document("first"), "status 500"),
        ("200 OK", b" " * (KEYS_BYTES_MAX + 1), "more than"),
        ("200 OK", b"nonsense", "neither JSON nor PEM"),
        ("200 OK", b'{"keys": []}', "no public key"),
    ],
)
async def test_an_answer_that_is_no_set_of_keys_is_refused(
    issuer: IssuerStandIn, client: httpx.AsyncClient, status: str, body: bytes, reason: str
) -> None:
    issuer.publish("/keys", body, status)
    with pytest.raises(KeysUnavailable, match=reason):
        await KeyFetch(client, "https://issuer.test", f"{issuer.url}/keys", seconds_max=5)()


@pytest.mark.parametrize("path", [DISCOVERY, "/keys"])
async def test_of_an_answer_that_does_not_end_no_more_is_read_than_the_bound(
    issuer: IssuerStandIn, client: httpx.AsyncClient, path: str
) -> None:
    promised = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % 10**12
    issuer.answers[path] = promised + b" " * (KEYS_BYTES_MAX + 1)
    with pytest.raises(KeysUnavailable, match=f"more than {KEYS_BYTES_MAX} bytes from {issuer.url}{path}"):
        await KeyFetch(client, issuer.url, "", seconds_max=5)()


async def test_a_silent_issuer_is_given_up(issuer: IssuerStandIn, client: httpx.AsyncClient) -> None:
    issuer.is_silent = True
    with pytest.raises(KeysUnavailable, match=r"no answer within 0\.05 s"):
        await KeyFetch(client, issuer.url, "", seconds_max=0.05)()


async def test_an_issuer_that_is_not_there_is_unavailable(client: httpx.AsyncClient) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(KeysUnavailable, match="ConnectError"):
        await KeyFetch(client, url, "", seconds_max=5)()


@pytest.mark.parametrize(
    ("url", "is_safe"),
    [
        ("https://issuer.example", True),
        ("http://127.0.0.1:9110", True),
        ("http://[::1]:9110/keys", True),
        ("http://localhost", True),
        ("http://issuer.example", False),
        ("http://localhost.example", False),
        ("http://127.0.0.1@issuer.example", False),
        ("ftp://issuer.example", False),
        ("//issuer.example", False),
        ("https://", False),
        ("https://[", False),
        ("", False),
    ],
)
def test_keys_travel_by_https_or_stay_on_this_machine(url: str, is_safe: bool) -> None:
    assert is_protected(url) is is_safe
