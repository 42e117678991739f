"""An nginx in front of pods for one test: its own authority, and a client that knows the hosts."""

import ssl
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from deploy.local.ports import HOST, free_port
from tests.edge.configuration import Front, Ports, configuration
from tests.edge.nginx import Nginx, nginx_program

needs_nginx = pytest.mark.skipif(nginx_program() is None, reason="nginx is not installed; .ci/run gets it")


class RunningFront:
    """`client()` speaks HTTP/2 by TLS and trusts the authority; `url` is for a client of another kind."""

    def __init__(self, nginx: Nginx, authority: trustme.CA) -> None:
        self.nginx = nginx
        self.authority = authority

    def trust(self) -> ssl.SSLContext:
        """What a client of the tests trusts."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context

    def client(self, host: str, *, address: str = HOST, **options: Any) -> "HostClient":
        """A client of one host, that connects from this address."""
        transport = httpx.AsyncHTTPTransport(
            verify=options.pop("verify", None) or self.trust(),
            http2=options.pop("http2", True),
            local_address=address,
        )
        return HostClient(host, self.nginx.ports, transport, **options)


class HostClient(httpx.AsyncClient):
    """Sends to this machine what would go to the host: its name is in the handshake and in the request."""

    def __init__(self, host: str, ports: Ports, transport: httpx.AsyncHTTPTransport, **options: Any) -> None:
        super().__init__(
            transport=transport,
            base_url=f"https://{HOST}:{ports.https}",
            headers={"host": host, **options.pop("headers", {})},
            timeout=60,
            **options,
        )
        self._host = host

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """With the host in the handshake."""
        request.extensions = {**request.extensions, "sni_hostname": self._host}
        return await super().send(request, **options)


@asynccontextmanager
async def running_front(
    front: Front, pods: Mapping[str, Sequence[str]], folder: Path
) -> AsyncIterator[RunningFront]:
    """`started_front` for tests with an event loop."""
    with started_front(front, pods, folder) as started:
        yield started


@contextmanager
def started_front(front: Front, pods: Mapping[str, Sequence[str]], folder: Path) -> Iterator[RunningFront]:
    """nginx with this configuration and a certificate for each host."""
    authority = trustme.CA()
    folder.mkdir(parents=True, exist_ok=True)
    certificates = {}
    for server in front.servers:
        pem = folder / f"{server.secret}.pem"
        pem.write_bytes(authority.issue_cert(server.host).private_key_and_cert_chain_pem.bytes())
        certificates[server.secret] = pem
    ports = Ports(free_port(), free_port())
    nginx = Nginx(folder, ports, configuration(front, pods, ports, certificates, folder))
    nginx.start()
    try:
        yield RunningFront(nginx, authority)
    finally:
        nginx.stop()
