"""The span of a request, as OpenTelemetry's conventions for HTTP servers want it."""

from shared.ops.http.asgi import ClientLeft, Scope
from shared.ops.http.request_context import caller_trace
from shared.telemetry import conventions as c
from shared.telemetry.spans import NO_SPAN, Span, SpanKind
from shared.telemetry.tracing import is_tracing, trace


def request_span(scope: Scope) -> Span:
    """In the caller's trace, or a new one. Its name is only the method until the route is known."""
    if not is_tracing():
        return NO_SPAN
    return trace(scope["method"], SpanKind.SERVER, caller_trace(dict(scope["headers"])), refusals=ClientLeft)


def end_of_request(span: Span, scope: Scope, method: str, route: str, status: int) -> None:
    """Names the span after the route. From 500 on it is a failure of ours; a refusal is the caller's."""
    if span.context is None:
        return
    span.rename(f"{method} {route}")
    span.set({c.HTTP_METHOD: method, c.HTTP_ROUTE: route, c.URL_PATH: scope["path"], c.HTTP_STATUS: status})
    if status >= 500:
        span.fail(f"answered with {status}")
