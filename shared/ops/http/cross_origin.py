"""Lets the pages of listed origins read the answers of an API (CORS, https://fetch.spec.whatwg.org).

Plain ASGI around everything else of the server: a preflight carries no token, and a page must be able to read
a refusal too. Starlette's CORSMiddleware sees neither the hot read nor what the server refuses itself.
Credentials of a browser (cookies) are never allowed: a caller sends its token itself.
"""

from collections.abc import Iterable, Mapping

from shared.ops.http.asgi import ASGIApp, Receive, Scope, Send, with_headers

_PREFLIGHT_SECONDS_MAX = 600
_REQUEST_HEADERS = (
    "Authorization", "Consistency-Token", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match",
    "Import-Id", "Last-Event-ID", "Prefer", "Traceparent", "Tracestate", "X-Request-Id",
)  # fmt: skip
_ANSWER_HEADERS = (
    "Accept", "Accept-Encoding", "Age", "Allow", "Cache-Status", "Consistency-Token", "ETag", "Link",
    "Location", "Preference-Applied", "RateLimit", "RateLimit-Policy", "Retry-After", "WWW-Authenticate",
    "X-Request-Id",
)  # fmt: skip
Pairs = list[tuple[bytes, bytes]]


class AllowedOrigins:
    """The origins whose pages may use an API with these methods."""

    def __init__(self, origins: Iterable[str], methods: Iterable[str]) -> None:
        allowed = ", ".join(sorted({*methods}))
        self._answers: Mapping[bytes, Pairs] = {
            origin.encode(): [
                (b"access-control-allow-origin", origin.encode()),
                (b"access-control-expose-headers", ", ".join(_ANSWER_HEADERS).encode()),
            ]
            for origin in origins
        }
        self._preflight: Pairs = [
            (b"access-control-allow-methods", allowed.encode()),
            (b"access-control-allow-headers", ", ".join(_REQUEST_HEADERS).encode()),
            (b"access-control-max-age", b"%d" % _PREFLIGHT_SECONDS_MAX),
        ]
        self._lines = {
            origin: b"".join(b"%b: %b\r\n" % pair for pair in pairs)
            for origin, pairs in self._answers.items()
        }

    def lines_for(self, origin: bytes) -> bytes:
        """The header lines of an answer for a page of this origin; empty for an origin that is not listed."""
        return self._lines.get(origin, b"")

    def answer_headers(self, origin: bytes) -> Pairs:
        """The same as pairs."""
        return self._answers.get(origin, [])

    def preflight_headers(self, origin: bytes) -> Pairs:
        """The headers of the answer to a preflight of this origin; empty for one that is not listed."""
        answer = self._answers.get(origin)
        return [] if answer is None else [answer[0], *self._preflight]


class CrossOrigin:
    """Adds the headers for listed origins to each answer of `app`, and answers their preflights."""

    def __init__(self, app: ASGIApp, allowed: AllowedOrigins) -> None:
        self._app = app
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI. An origin that is not listed gets no header, so a browser hides the answer from its page."""
        origin = asked_method = None
        for name, value in scope["headers"]:
            if name == b"origin":
                origin = value
            elif name == b"access-control-request-method":
                asked_method = value
        more = self._allowed.answer_headers(origin) if origin is not None else []
        if origin is None or not more:
            await self._app(scope, receive, send)
        elif scope["method"] == "OPTIONS" and asked_method is not None:
            await _send_empty(send, self._allowed.preflight_headers(origin))
        else:
            await self._app(scope, receive, with_headers(send, more))


async def _send_empty(send: Send, headers: Pairs) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
