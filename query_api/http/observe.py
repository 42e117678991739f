"""Around the framework: the undecoded path, the request's id, a bound on what is in progress, metric and log
line.

A SKU may contain `/`, so a path must be split before it is decoded. ASGI servers decode
first; here `scope["path"]` becomes the raw path again, and the handlers decode each parameter.
"""

from time import perf_counter

from query_api.http.problems import INTERNAL, OVERLOADED, problem_message, problem_of
from query_api.http.query_text import refused_query
from query_api.http.request_context import SCOPE_KEY, context_of
from shared.ops.http.asgi import ASGIApp, Message, Receive, Scope, Send
from shared.ops.logs import get_logger
from shared.ops.metrics import HTTP_REQUEST_DURATION_SECONDS

_UNMATCHED = "unmatched"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
_log = get_logger(__name__)


class Observed:
    """An ASGI application around the framework's; at most `in_progress_max` requests are let in."""

    def __init__(self, app: ASGIApp, *, in_progress_max: int, slow_seconds: float) -> None:
        self._app = app
        self._in_progress_max = in_progress_max
        self._slow_seconds = slow_seconds
        self._in_progress = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError(f"the query API speaks HTTP only, not {scope['type']}")
        scope["path"] = scope["raw_path"].decode("latin-1")
        context = scope[SCOPE_KEY] = context_of(scope["headers"])
        answer = _Answer(send, context.request_id.encode())
        started = perf_counter()
        self._in_progress += 1
        try:
            if self._in_progress > self._in_progress_max:
                await problem_message(scope, answer.send, OVERLOADED)
            elif (refused := refused_query(scope["query_string"])) is not None:
                await problem_message(scope, answer.send, problem_of(refused))
            else:
                await self._app(scope, receive, answer.send)
        except Exception:
            _log.exception("a request failed", request_id=context.request_id, path=scope["path"])
            if answer.status == 0:
                await problem_message(scope, answer.send, INTERNAL)
        finally:
            self._in_progress -= 1
            self._record(scope, answer.status, perf_counter() - started)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        """Labels must be few: the route's template, never the path, and only methods that exist."""
        route = getattr(scope.get("route"), "path", _UNMATCHED)
        method = scope["method"] if scope["method"] in _METHODS else "other"
        HTTP_REQUEST_DURATION_SECONDS.labels(method, route, str(status)).observe(seconds)
        line = _log.warning if status >= 500 or seconds >= self._slow_seconds else _log.info
        context = scope[SCOPE_KEY]
        line(
            "request",
            method=method,
            route=route,
            path=scope["path"],
            status=status,
            duration_ms=round(seconds * 1000, 3),
            request_id=context.request_id,
            trace_id=context.trace_id,
        )


class _Answer:
    """Watches what is sent, and adds X-Request-Id to it; `status` is 0 until something was."""

    def __init__(self, send: Send, request_id: bytes) -> None:
        self._send = send
        self._header = (b"x-request-id", request_id)
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), self._header]
        await self._send(message)
