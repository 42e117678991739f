"""One POST of one message: signed, bounded in time and size, redirects not followed."""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import NamedTuple

import httpcore

from projector.webhooks.http.pinned_network import PinnedNetwork
from projector.webhooks.ports import Answer
from shared.ops.error_text import named
from shared.ops.tls import public_and
from shared.webhooks.endpoint import EndpointDocument, SealedKey
from shared.webhooks.networks import AllowedNetworks, RefusedUrl, target
from shared.webhooks.sealed_keys import KeyIsSealed, SealedKeys
from shared.webhooks.signatures import Signer, signature_header, signer

_ERROR_CHARACTERS_MAX = 300
_SIGNERS_MAX = 1_000
_DEFAULT_PORTS = {"http": 80, "https": 443}


class SenderLimits(NamedTuple):
    """`seconds_max` bounds a whole attempt, `connect_seconds_max` the connection alone. An idle connection is
    kept for `keepalive_seconds`. More than `response_bytes_max` of an answer are not read.
    """

    connections_max: int
    seconds_max: float
    connect_seconds_max: float
    keepalive_seconds: float = 30.0
    response_bytes_max: int = 1024


class HttpSender:
    """Implements `Sender`. Use it as a context: it closes its connections."""

    def __init__(
        self,
        keys: SealedKeys,
        allowed: AllowedNetworks,
        limits: SenderLimits,
        *,
        user_agent: str,
        ca_file: Path | None = None,
    ) -> None:
        self._keys = keys
        self._limits = limits
        self._user_agent = user_agent.encode()
        self._pools: Mapping[str, httpcore.AsyncConnectionPool] = {
            scheme: _pool(scheme, allowed, limits, ca_file) for scheme in _DEFAULT_PORTS
        }
        self._signers: dict[str, Signer] = {}

    async def close(self) -> None:
        """Closes idle connections; nothing may be sent any more."""
        for pool in self._pools.values():
            await pool.aclose()

    async def send(self, document: EndpointDocument, webhook_id: str, body: bytes) -> Answer:
        started_at, begun = datetime.now(UTC), time.monotonic()
        status, response, error, retry_after = None, None, None, None
        try:
            request = self._request(document, webhook_id, body, int(started_at.timestamp()))
            async with asyncio.timeout(self._limits.seconds_max):
                pool = self._pools[request.url.scheme.decode()]
                answer = await pool.handle_async_request(request)
                try:
                    status, retry_after = answer.status, _retry_after(answer)
                    response = await _beginning(answer, self._limits.response_bytes_max)
                finally:
                    await answer.aclose()
        except TimeoutError:
            error = f"no complete answer within {self._limits.seconds_max:g} s"
        except (RefusedUrl, KeyIsSealed) as refused:
            error = str(refused)
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as failure:
            error = named(failure)[:_ERROR_CHARACTERS_MAX]
        milliseconds = round(1000 * (time.monotonic() - begun))
        return Answer(started_at, milliseconds, status, response, error, retry_after)

    def _request(
        self, document: EndpointDocument, webhook_id: str, body: bytes, timestamp: int
    ) -> httpcore.Request:
        to = target(document.url)
        signers = [
            self._signer(document, key)
            for key in document.keys
            if key.expires_at is None or key.expires_at.timestamp() > timestamp
        ]
        host = f"[{to.host}]" if ":" in to.host else to.host
        authority = host if to.port == _DEFAULT_PORTS[to.scheme] else f"{host}:{to.port}"
        return httpcore.Request(
            "POST",
            httpcore.URL(
                scheme=to.scheme.encode(), host=to.host.encode(), port=to.port, target=to.path.encode()
            ),
            headers=[
                (b"host", authority.encode()),
                (b"content-type", b"application/json"),
                (b"content-length", b"%d" % len(body)),
                (b"user-agent", self._user_agent),
                (b"accept-encoding", b"identity"),
                (b"webhook-id", webhook_id.encode()),
                (b"webhook-timestamp", b"%d" % timestamp),
                (b"webhook-signature", signature_header(signers, webhook_id, timestamp, body).encode()),
            ],
            content=body,
            extensions={"timeout": {"connect": self._limits.connect_seconds_max}},
        )

    def _signer(self, document: EndpointDocument, key: SealedKey) -> Signer:
        """Kept by the sealed text, which is another one for each key."""
        if key.sealed not in self._signers:
            if len(self._signers) >= _SIGNERS_MAX:
                self._signers.clear()
            self._signers[key.sealed] = signer(document.signature, self._keys.open(key.sealed))
        return self._signers[key.sealed]


def _pool(
    scheme: str, allowed: AllowedNetworks, limits: SenderLimits, ca_file: Path | None
) -> httpcore.AsyncConnectionPool:
    return httpcore.AsyncConnectionPool(
        ssl_context=public_and(ca_file) if scheme == "https" else None,
        max_connections=limits.connections_max,
        max_keepalive_connections=limits.connections_max,
        keepalive_expiry=limits.keepalive_seconds,
        network_backend=PinnedNetwork(scheme, allowed, resolve_seconds_max=limits.connect_seconds_max),
    )


async def _beginning(answer: httpcore.Response, bytes_max: int) -> str:
    """Of the body. A receiver that sends more than that loses the connection, and nothing else."""
    read = b""
    async for part in answer.aiter_stream():
        read += part
        if len(read) > bytes_max:
            break
    return read[:bytes_max].decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def _retry_after(answer: httpcore.Response) -> float | None:
    """In seconds; the header has seconds or a date (RFC 9110). None: absent, or neither."""
    for name, value in answer.headers:
        if name.lower() == b"retry-after":
            text = value.decode("latin-1").strip()
            if text.isascii() and text.isdigit():
                return float(text[:10])
            try:
                at = parsedate_to_datetime(text)
            except ValueError:
                return None
            return max(0.0, at.timestamp() - time.time()) if at.tzinfo is not None else None
    return None
