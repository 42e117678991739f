"""A client that speaks HTTP/2: it writes, and reads what it has written, one after the other."""

import ssl

import httpx

from deploy.development_token import token
from deploy.local.ports import HOST
from tests.cluster.background import Background
from tests.cluster.requests import new_product

_SCOPES = "products:read products:read-drafts products:write"
# nginx ends a connection after 1,000 requests, and httpx may lose one to that.
_REQUESTS_A_CONNECTION = 400


class Http2Client(Background):
    """`pairs` counts the writes that were read."""

    def __init__(self, port: int, trusted: ssl.SSLContext, *, write: str, read: str) -> None:
        super().__init__("http2")
        self._url, self._trusted = f"https://{HOST}:{port}/v1/products", trusted
        self._write, self._read = write, read
        self.pairs = 0
        self.failed: list[str] = []

    def work(self) -> None:
        """One connection after the other."""
        while not self.stops.is_set():
            with httpx.Client(http1=False, http2=True, verify=self._trusted, timeout=30) as client:
                for _ in range(_REQUESTS_A_CONNECTION // 2):
                    if self.stops.is_set():
                        return
                    try:
                        self._pair(client)
                        self.pairs += 1
                    except (httpx.HTTPError, AssertionError) as error:
                        self.failed.append(repr(error))

    def _pair(self, client: httpx.Client) -> None:
        made = self._ask(client, "POST", self._write, json=new_product())
        assert (made.status_code, made.http_version) == (201, "HTTP/2"), made.text
        seen = {"consistency-token": made.headers["consistency-token"], "prefer": "wait=10"}
        read = self._ask(client, "GET", self._read, path=f"/{made.json()['id']}", headers=seen)
        assert (read.status_code, read.http_version) == (200, "HTTP/2"), read.text

    def _ask(
        self,
        client: httpx.Client,
        method: str,
        host: str,
        *,
        path: str = "",
        json: object = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        caller = {"host": host, "authorization": f"Bearer {token(_SCOPES)}"}
        return client.request(
            method, self._url + path, json=json, headers=caller | (headers or {}),
            extensions={"sni_hostname": host},
        )  # fmt: skip
