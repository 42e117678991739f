"""The span of a hot read, made after its answer, so that a read that is not sampled costs next to nothing."""

import time

from query_api.products.http.hot_head import HotHead
from shared.telemetry import conventions as c
from shared.telemetry.spans import Attributes, SpanKind
from shared.telemetry.trace_context import parse_traceparent
from shared.telemetry.tracing import is_chosen, past_span

_NANOSECONDS = 1_000_000_000


def record_hot_read(head: HotHead, route: str, url: bytes, status: int, seconds: float) -> None:
    """In the caller's trace, if the sampler wants it. Call it while tracing is on."""
    parent = parse_traceparent(head.trace.decode("latin-1")) if head.trace is not None else None
    method = head.method.decode()
    name = f"{method} {route}"
    if not is_chosen(name, SpanKind.SERVER, parent):
        return
    ended_ns = time.time_ns()
    attributes: Attributes = {
        c.HTTP_METHOD: method,
        c.HTTP_ROUTE: route,
        c.URL_PATH: url.decode("latin-1"),
        c.HTTP_STATUS: status,
        c.CACHE: "hit",
    }
    began_ns = ended_ns - int(seconds * _NANOSECONDS)
    past_span(name, SpanKind.SERVER, parent, began_ns, ended_ns, attributes)
