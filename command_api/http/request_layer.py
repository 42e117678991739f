"""Around every request: the path as it was sent, a request id, a trace, a log line, a duration.

Plain ASGI, because Starlette's own middleware costs more than a whole command.
"""

import re
import time
from urllib.parse import quote

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars
from uuid_utils import uuid7

from shared.ops.logs import get_logger
from shared.ops.metrics import HTTP_REQUEST_DURATION_SECONDS
from shared.ops.trace_context import TraceContext, new_trace_context, parse_traceparent

_log = get_logger(__name__)
_request_id = re.compile(r"[\x21-\x7e]{1,128}")
_UNMATCHED_ROUTE = "unmatched"


class RequestLayer:
    """Wraps the application. Sets `request_id` in the scope and matches routes over the undecoded path.

    A SKU may hold a slash: the path is split first and each segment decoded by its route afterwards.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        raw = scope.get("raw_path") or quote(scope["path"]).encode()
        scope["path"] = raw.partition(b"?")[0].decode("latin-1")
        given_request_id, given_trace = _given(scope)
        request_id = scope["request_id"] = given_request_id or str(uuid7())
        trace = scope["trace"] = given_trace.child() if given_trace else new_trace_context()
        status = 500

        async def send_with_request_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        with bound_contextvars(request_id=request_id, correlation_id=request_id, trace_id=trace.trace_id):
            try:
                await self._app(scope, receive, send_with_request_id)
            finally:
                self._finish(scope, status, time.perf_counter() - started)

    def _finish(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", _UNMATCHED_ROUTE)
        HTTP_REQUEST_DURATION_SECONDS.labels(scope["method"], route, status).observe(seconds)
        write = _log.error if status >= 500 else _log.info
        write(
            "request",
            method=scope["method"],
            route=route,
            status=status,
            milliseconds=round(seconds * 1000, 2),
        )


def _given(scope: Scope) -> tuple[str | None, TraceContext | None]:
    """The caller's request id and trace; malformed ones count as absent."""
    request_id, trace = None, None
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            text: str = value.decode("latin-1")
            request_id = text if _request_id.fullmatch(text) else None
        elif name == b"traceparent":
            trace = parse_traceparent(value.decode("latin-1"))
    return request_id, trace
