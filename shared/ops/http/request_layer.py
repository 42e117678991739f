"""Wraps every request of an API: undecoded path, id, trace, metric, log line, and the answer to unexpected
errors.

Plain ASGI, because a framework's middleware costs more than a whole command. A SKU may contain `/`, so a path
is matched in its sent form, and each route decodes its segments (`path.py`).
"""

import math
import re
from time import perf_counter
from urllib.parse import quote

from structlog.contextvars import bound_contextvars

from shared.ops.http.asgi import ASGIApp, ClientLeft, Message, Receive, Scope, Send
from shared.ops.http.in_flight import INSTEAD
from shared.ops.http.problem import INTERNAL_ERROR
from shared.ops.http.problem_answer import send_problem
from shared.ops.http.request_context import ANONYMOUS, RequestContext, keep_context, read_context
from shared.ops.http.request_records import RequestRecords
from shared.ops.http.request_span import end_of_request, request_span
from shared.ops.log_limits import LINES_PER_SECOND_MAX
from shared.ops.logs import add_log_fields, drop_log_fields
from shared.ops.plain_values import UUID_PATTERN
from shared.telemetry.spans import Span

_UNMATCHED = "unmatched"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
_product_id = re.compile(UUID_PATTERN)
IS_STREAM = "shared.ops.http.is_stream"
"""The key in a request's scope for an answer that takes as long as its client reads: its time is that until
the answer begins, so that it neither is a slow request nor spoils the figures of the others."""

WAITED_SECONDS = "shared.ops.http.waited_seconds"
"""The key in a request's scope for a time that the caller asked to wait, and that counts as little."""


class RequestLayer:
    """Wraps an application. A request that takes `slow_seconds` is logged as a warning.

    Of the lines about requests some are left out under load (`access_lines.py`).
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        slow_seconds: float = math.inf,
        lines_per_second_max: int = LINES_PER_SECOND_MAX,
    ) -> None:
        self._app = app
        self.records = RequestRecords(slow_seconds, lines_per_second_max)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            raise NotImplementedError(f"this port speaks HTTP only, not {scope['type']}")
        started = perf_counter()
        self.records.in_flight += 1
        scope["path"] = (scope.get("raw_path") or quote(scope["path"]).encode()).decode("latin-1")
        span = request_span(scope)
        context = read_context(scope["headers"], span.context)
        keep_context(scope, context)
        answer = _Answer(send, context)
        request_id, trace = context.request_id, context.trace
        with (
            bound_contextvars(
                request_id=request_id,
                correlation_id=request_id,
                trace_id=trace.trace_id,
                span_id=trace.span_id,
                actor=ANONYMOUS,  # until access control knows better
            ),
            span,
        ):
            try:
                await self._app(scope, receive, answer.send)
            except ClientLeft:
                raise
            except Exception as error:
                self.records.failed(scope["path"])
                span.fail(error)
                if answer.status == 0:
                    await send_problem(scope, answer.send, INTERNAL_ERROR)
            finally:
                self.records.in_flight -= 1
                ended = answer.began if IS_STREAM in scope and answer.status else perf_counter()
                waited = scope.get(WAITED_SECONDS, 0.0)
                self._record(scope, span, scope.get(INSTEAD, answer.status), ended - started - waited)
                drop_log_fields("actor", "product_id")

    def _record(self, scope: Scope, span: Span, status: int, seconds: float) -> None:
        """Labels must be few: the route's template, never the path, and only methods that exist."""
        route = getattr(scope.get("route"), "path", _UNMATCHED)
        method = scope["method"] if scope["method"] in _METHODS else "other"
        end_of_request(span, scope, method, route, status)
        _name_product(scope)
        self.records.record(method, route, scope["path"], status, seconds)


def _name_product(scope: Scope) -> None:
    """The product of the path, for the line about the request; a command names its product itself."""
    named = scope.get("path_params", {}).get("product_id")
    if isinstance(named, str) and _product_id.fullmatch(named):
        add_log_fields(product_id=named)


class _Answer:
    """Watches the answer, and adds X-Request-Id to it; `status` is 0 until the answer begins."""

    def __init__(self, send: Send, context: RequestContext) -> None:
        self._send = send
        self._header = (b"x-request-id", context.request_id.encode())
        self.status = 0
        self.began = 0.0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.began = perf_counter()
            message["headers"] = [*message.get("headers", ()), self._header]
        await self._send(message)
