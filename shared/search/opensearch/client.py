"""A client of OpenSearch's REST interface: some addresses of it, with our limits, TLS and log-in.

OpenSearchError
  OpenSearchUnavailable   no answer in time, or one that says "later" (408, 429, 5xx)
  OpenSearchRefused       the request is wrong, or what it names does not exist
    OpenSearchDenied      the log-in is wrong, or the user may not do this (401, 403)

The official client was not taken: it brings gRPC, protobuf, requests and aiohttp into every image, and
retries by rules of its own (docs/decisions/0038-opensearch-as-a-second-search-engine.md).
"""

import asyncio
from base64 import b64encode
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec

from shared.ops.error_text import named
from shared.ops.tls import ClientTls
from shared.search.opensearch.address import SearchAddress

_JSON, _LINES = "application/json", "application/x-ndjson"
_REASON_CHARACTERS_MAX = 500
# Also of a proxy between us; from 500 on all are.
_LATER = (408, 429)
_DENIED = {401: "user or password is wrong", 403: "the user may not do this"}


class OpenSearchError(Exception):
    """A request without a usable answer."""


class OpenSearchUnavailable(OpenSearchError):
    """The same request may be answered later."""


class OpenSearchRefused(OpenSearchError):
    """The same request is refused again. `kind` is OpenSearch's name of the error."""

    def __init__(self, status: int, kind: str, reason: str) -> None:
        super().__init__(": ".join(part for part in (f"{status} {kind}".rstrip(), reason) if part))
        self.status = status
        self.kind = kind


class OpenSearchDenied(OpenSearchRefused):
    """Nothing but another user, password or right helps."""


class _Cause(msgspec.Struct):
    type: str = ""
    reason: str | None = None


class _Failure(msgspec.Struct):
    error: _Cause | str = ""


_failure = msgspec.json.Decoder(_Failure)


class OpenSearchClient:
    """Connects when first used. `seconds_max` bounds a whole request, also the wait for a connection."""

    def __init__(
        self, address: SearchAddress, *, connections_max: int, seconds_max: float, connect_seconds_max: float
    ) -> None:
        self._address = address
        self._seconds_max = seconds_max
        self._limits = httpx.Limits(
            max_connections=connections_max, max_keepalive_connections=connections_max
        )
        self._timeout = httpx.Timeout(seconds_max, connect=connect_seconds_max)
        self._tls = ClientTls(address.tls)
        self._made: list[tuple[object, httpx.AsyncClient]] = []

    async def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        parameters: Mapping[str, Any] | None = None,
        is_lines: bool = False,
        seconds_max: float | None = None,
    ) -> bytes:
        """The answer's body. `is_lines`: the body has a JSON object on each line (`_bulk`, `_msearch`).

        Raises `OpenSearchError`.
        """
        headers = {"accept-encoding": "identity", "content-type": _LINES if is_lines else _JSON}
        if log_in := self._address.log_in():
            headers["authorization"] = f"Basic {b64encode(':'.join(log_in).encode()).decode()}"
        seconds = self._seconds_max if seconds_max is None else seconds_max
        try:
            async with asyncio.timeout(seconds):
                answer = await self._client().request(
                    method, f"/{path}", content=body, headers=headers, params=parameters
                )
        except TimeoutError as error:
            raise OpenSearchUnavailable(f"no answer within {seconds:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise OpenSearchUnavailable(named(error)) from error
        if answer.is_success:
            return answer.content
        raise _error(answer.status_code, answer.content)

    async def close(self) -> None:
        """No request may be under way."""
        for _, client in self._made:
            await client.aclose()
        self._made.clear()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _client(self) -> httpx.AsyncClient:
        """Another one when the certificates have changed; requests on the last one end there."""
        context = self._tls.context() if self._address.server.startswith("https:") else None
        if not self._made or self._made[-1][0] is not context:
            client = httpx.AsyncClient(
                base_url=self._address.server,
                verify=True if context is None else context,
                limits=self._limits,
                timeout=self._timeout,
                trust_env=False,
            )
            self._made.append((context, client))
        return self._made[-1][1]


def _error(status: int, body: bytes) -> OpenSearchError:
    kind, reason = "", ""
    try:
        cause = _failure.decode(body).error
    except msgspec.MsgspecError:
        reason = _DENIED.get(status, "the answer is not OpenSearch's")
    else:
        kind, reason = (cause, "") if isinstance(cause, str) else (cause.type, cause.reason or "")
    kind_of_error = OpenSearchDenied if status in _DENIED else OpenSearchRefused
    refused = kind_of_error(status, kind, reason[:_REASON_CHARACTERS_MAX])
    return OpenSearchUnavailable(str(refused)) if status in _LATER or status >= 500 else refused
