"""One attempt over real connections: what is refused, how long it takes, what is read of an answer."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import trustme

from projector.webhooks.http.sender import HttpSender, SenderLimits
from projector.webhooks.ports import Answer
from shared.ops.secret import Secret
from shared.webhooks.endpoint import EndpointDocument, SealedKey, Signature
from shared.webhooks.networks import AllowedNetworks, parsed_networks
from shared.webhooks.sealed_keys import SealedKeys
from shared.webhooks.signatures import new_key
from tests.webhook_receiver import Answering, Receiver, webhook_receiver

LOOPBACK = AllowedNetworks(parsed_networks("127.0.0.1"))
KEYS = SealedKeys(Secret("of-these-tests"))
LIMITS = SenderLimits(connections_max=8, seconds_max=20.0, connect_seconds_max=10.0)
Resolve = Callable[[str, list[str]], None]


def sender(
    allowed: AllowedNetworks = LOOPBACK, limits: SenderLimits = LIMITS, ca_file: Path | None = None
) -> HttpSender:
    return HttpSender(KEYS, allowed, limits, user_agent="test", ca_file=ca_file)


def document(url: str, signature: Signature = "hmac", sealed: str | None = None) -> EndpointDocument:
    key, now = new_key(signature), datetime.now(UTC)
    keys = (SealedKey(sealed or KEYS.seal(key.key)),)
    return EndpointDocument(
        url=url, description="", types=None, product_ids=None, signature=signature, is_enabled=True,
        public_key=key.public, created_at=now, updated_at=now, keys=keys,
    )  # fmt: skip


async def sent(url: str, **made: Any) -> Answer:
    one = sender(**made)
    try:
        return await one.send(document(url), "id-1", b'{"type":"a"}')
    finally:
        await one.close()


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with webhook_receiver() as made:
        yield made


@pytest.fixture
def resolving(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """A name that has another address at each question, the last one for ever."""
    answers: dict[str, list[str]] = {}

    def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        if host not in answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        its = answers[host]
        address = its.pop(0) if len(its) > 1 else its[0]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    def resolve(host: str, addresses: list[str]) -> None:
        answers[host] = addresses

    resolve("127.0.0.1", ["127.0.0.1"])
    return resolve


async def test_a_message_arrives_with_its_headers(receiver: Receiver) -> None:
    answer = await sent(receiver.url + "?a=1")
    assert (answer.status, answer.error, answer.response) == (204, None, "")
    received = receiver.received[0]
    assert received.path == "/hook?a=1"
    assert received.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert received.headers["webhook-id"] == "id-1"
    assert abs(int(received.headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 300
    assert received.headers["user-agent"] == "test"
    assert "cookie" not in received.headers


async def test_the_name_is_checked_at_each_connection(receiver: Receiver, resolving: Resolve) -> None:
    """DNS rebinding: the name was public when it was registered, and is inside of our network now."""
    resolving("rebound.example", ["127.0.0.1"])
    answer = await sent(f"http://rebound.example:{receiver.port}/", allowed=AllowedNetworks())
    assert answer.status is None
    assert "127.0.0.1 is not public" in (answer.error or "")
    assert receiver.received == []


async def test_it_connects_to_the_address_that_was_checked(receiver: Receiver, resolving: Resolve) -> None:
    """A name that changes its address between the check and the connection gains nothing by that."""
    resolving("changing.example", ["127.0.0.1", "169.254.169.254"])
    answer = await sent(f"http://changing.example:{receiver.port}/")
    assert answer.status == 204
    assert receiver.received[0].headers["host"] == f"changing.example:{receiver.port}"
    again = await sent(f"http://changing.example:{receiver.port}/")
    assert "169.254.169.254 is not public" in (again.error or "")


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "169.254.169.254", "::ffff:127.0.0.2", "fd00::1", "64:ff9b::a9fe:a9fe"]
)
async def test_addresses_inside_are_refused(resolving: Resolve, address: str) -> None:
    resolving("inside.example", [address])
    answer = await sent("https://inside.example/")
    assert answer.status is None
    assert "is not public" in (answer.error or "")


async def test_literal_addresses_are_checked_too(receiver: Receiver) -> None:
    answer = await sent(receiver.url, allowed=AllowedNetworks())
    assert "127.0.0.1 is not public" in (answer.error or "")
    assert receiver.received == []


async def test_a_name_that_does_not_resolve_is_an_answer(resolving: Resolve) -> None:
    assert "cannot be resolved" in ((await sent("http://unknown.example/")).error or "")


async def test_redirects_are_not_followed(receiver: Receiver) -> None:
    async with webhook_receiver() as other:
        receiver.answer = lambda _: Answering(302, headers={"location": other.url})
        assert (await sent(receiver.url)).status == 302
        assert other.received == []


async def test_a_long_answer_is_cut(receiver: Receiver) -> None:
    receiver.answer = lambda _: Answering(500, b"x" * 10_000_000)
    answer = await sent(receiver.url)
    assert answer.status == 500
    assert answer.response == "x" * LIMITS.response_bytes_max


async def test_a_slow_answer_ends_at_the_limit(receiver: Receiver) -> None:
    receiver.answer = lambda _: Answering(delay=asyncio.Event())
    answer = await sent(receiver.url, limits=LIMITS._replace(seconds_max=0.2))
    assert (answer.status, answer.error) == (None, "no complete answer within 0.2 s")


async def test_a_receiver_that_hangs_up_or_is_away_is_an_answer(receiver: Receiver) -> None:
    receiver.answer = lambda _: Answering(hangs_up=True)
    assert "disconnected" in ((await sent(receiver.url)).error or "")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        away = await sent(f"http://127.0.0.1:{unused.getsockname()[1]}/")
    assert away.status is None
    assert "ConnectError" in (away.error or "")


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("soon", None), ("-1", None), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)]
)
async def test_retry_after_is_read(receiver: Receiver, header: str, seconds: float | None) -> None:
    receiver.answer = lambda _: Answering(503, headers={"Retry-After": header})
    assert (await sent(receiver.url)).retry_after_seconds == seconds


async def test_a_key_that_cannot_be_opened_is_an_answer(receiver: Receiver) -> None:
    other = SealedKeys(Secret("another")).seal(b"k" * 32)
    one = sender()
    answer = await one.send(document(receiver.url, sealed=other), "id-1", b"{}")
    await one.close()
    assert "WEBHOOK_SECRET_KEY" in (answer.error or "")
    assert receiver.received == []


class Authority:
    """A private authority, and servers' contexts of it."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self.file = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(self.file)

    def server(self, *names: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(*names).configure_cert(context)
        return context


async def test_certificates_are_verified(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with webhook_receiver(authority.server("127.0.0.1")) as receiver:
        assert (await sent(receiver.url, ca_file=authority.file)).status == 204
        assert "certificate" in ((await sent(receiver.url)).error or "")
    async with webhook_receiver(authority.server("other.example")) as receiver:
        wrong = await sent(receiver.url, ca_file=authority.file)
        assert "certificate" in (wrong.error or "")
        assert receiver.received == []
