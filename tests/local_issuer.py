"""The local issuer of `make up ARGS="--secure"` inside the test's process; it may be away for a while."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from deploy.local.issuer import TOKEN_SECONDS, IssuerServer
from deploy.local.ports import free_port


class LocalIssuer:
    """`now` is its clock, in Unix seconds."""

    def __init__(self, folder: Path, now: float) -> None:
        self.folder = folder
        self.now = now
        self.token_seconds = TOKEN_SECONDS
        self._port = free_port()
        self._server: IssuerServer | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def server(self) -> IssuerServer:
        assert self._server is not None
        return self._server

    def start(self) -> None:
        """On the same port, with the same keys."""
        self._server = IssuerServer(self._port, self.folder, self.token_seconds)
        self._server.maker = replace(self._server.maker, clock=lambda: self.now)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def secret(self, client_id: str) -> str:
        return self.server.maker.client_secrets[client_id]


@contextmanager
def local_issuer(folder: Path, now: float) -> Iterator[LocalIssuer]:
    issuer = LocalIssuer(folder, now)
    try:
        yield issuer
    finally:
        issuer.stop()
