"""The client of OpenSearch on the way through TLS, and what it makes of answers; no OpenSearch is needed."""

import asyncio
import ssl
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from deploy.local.ports import HOST
from shared.ops.secret import Secret
from shared.ops.tls import TlsFiles
from shared.search.opensearch.address import SearchAddress
from shared.search.opensearch.client import (
    OpenSearchClient,
    OpenSearchDenied,
    OpenSearchRefused,
    OpenSearchUnavailable,
)
from tests.secured.certificates import Certificates

_SECONDS_MAX = 60.0


class Server:
    """Answers every request with `status` and `body`, and keeps the heads of requests."""

    def __init__(self) -> None:
        self.port = 0
        self.heads: list[str] = []
        self.status, self.body = 200, b"{}"

    @asynccontextmanager
    async def running(self, context: ssl.SSLContext | None = None) -> AsyncIterator["Server"]:
        done = asyncio.Event()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while head := await reader.readuntil(b"\r\n\r\n"):
                    self.heads.append(head.decode())
                    length = f"content-length: {len(self.body)}\r\n\r\n".encode()
                    writer.write(b"HTTP/1.1 %d Told\r\n%s%s" % (self.status, length, self.body))
            writer.close()
            with suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()
            done.set()

        async with await asyncio.start_server(accept, HOST, 0, ssl=context) as server:
            self.port = server.sockets[0].getsockname()[1]
            yield self
        if self.heads:
            await done.wait()


def client_of(url: str, tls: TlsFiles = TlsFiles()) -> OpenSearchClient:  # noqa: B008 - a value
    address = SearchAddress(Secret(url), tls)
    return OpenSearchClient(
        address, connections_max=2, seconds_max=_SECONDS_MAX, connect_seconds_max=_SECONDS_MAX
    )


async def test_a_private_authority_is_trusted_by_its_file_alone(tmp_path: Path) -> None:
    files = Certificates(tmp_path)
    async with Server().running(files.context()) as server:
        url = f"https://{HOST}:{server.port}"
        async with client_of(url, TlsFiles(files.ca)) as trusting:
            assert await trusting.request("GET", "products") == b"{}"
        for tls in (TlsFiles(files.other_ca), TlsFiles()):
            async with client_of(url, tls) as careful:
                with pytest.raises(OpenSearchUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
                    await careful.request("GET", "products")
    assert len(server.heads) == 1


async def test_a_renewed_authority_is_used_without_a_restart(tmp_path: Path) -> None:
    files = Certificates(tmp_path)
    ca = tmp_path / "changing.pem"
    ca.write_bytes(files.other_ca.read_bytes())
    async with (
        Server().running(files.context()) as server,
        client_of(f"https://{HOST}:{server.port}", TlsFiles(ca)) as client,
    ):
        with pytest.raises(OpenSearchUnavailable):
            await client.request("GET", "products")
        new = tmp_path / "new.pem"
        new.write_bytes(files.ca.read_bytes())
        new.replace(ca)
        assert await client.request("GET", "products") == b"{}"


async def test_each_request_logs_in_with_the_newest_password(tmp_path: Path) -> None:
    async with Server().running() as server:
        file = tmp_path / "url"
        file.write_text(f"http://ann:p%40ss@{HOST}:{server.port}/search")
        address = SearchAddress(Secret.from_file(file))
        async with OpenSearchClient(
            address, connections_max=1, seconds_max=_SECONDS_MAX, connect_seconds_max=_SECONDS_MAX
        ) as client:
            await client.request("GET", "products")
            file.write_text(f"http://ann:n%C3%A9w@{HOST}:{server.port}/search")
            await client.request("GET", "products")
    assert [_log_in(head) for head in server.heads] == ["ann:p@ss", "ann:néw"]
    assert server.heads[0].startswith("GET /search/products HTTP/1.1")


def _log_in(head: str) -> str:
    (line,) = [line for line in head.split("\r\n") if line.lower().startswith("authorization: ")]
    return b64decode(line.split(" ")[2]).decode()


@pytest.mark.parametrize(
    ("status", "body", "expected", "said"),
    [
        (
            404,
            b'{"error":{"type":"gone","reason":"no such index"}}',
            OpenSearchRefused,
            "gone: no such index",
        ),
        (401, b"Unauthorized", OpenSearchDenied, "^401: user or password is wrong$"),
        (403, b'{"error":{"type":"denied","reason":"no right"}}', OpenSearchDenied, "403 denied: no right"),
        (400, b'{"error":"no handler"}', OpenSearchRefused, "400 no handler"),
        (408, b"", OpenSearchUnavailable, "408"),
        (429, b'{"error":{"type":"busy","reason":null}}', OpenSearchUnavailable, "429 busy"),
        (503, b"<html>", OpenSearchUnavailable, "not OpenSearch's"),
        (301, b"", OpenSearchRefused, "301"),
    ],
)
async def test_what_is_no_success_is_refused_or_may_be_tried_later(
    status: int, body: bytes, expected: type[Exception], said: str
) -> None:
    async with Server().running() as server, client_of(f"http://{HOST}:{server.port}") as client:
        server.status, server.body = status, body
        with pytest.raises(expected, match=said):
            await client.request("GET", "products")
