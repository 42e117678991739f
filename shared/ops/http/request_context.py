"""The ids of a request in logs, problem documents and events: its own id, and its trace."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from uuid_utils import uuid7

from shared.ops.http.asgi import Scope
from shared.telemetry.trace_context import TraceContext, new_trace_context, parse_traceparent

REQUEST_ID_CHARACTERS_MAX = 128
_SCOPE_KEY = "catalogue.request"
ANONYMOUS = "anonymous"
"""The actor of a request whose caller is not known: that of every request while access control is off."""


@dataclass(frozen=True, slots=True)
class RequestContext:
    """`trace` is the caller's trace with our span; a new trace if the caller sent no valid traceparent."""

    request_id: str
    trace: TraceContext


def request_id_of(given: bytes | None) -> bytes:
    """The caller's X-Request-Id if it has 1 to 128 visible ASCII characters, otherwise a new one."""
    if given and len(given) <= REQUEST_ID_CHARACTERS_MAX and _is_visible_ascii(given):
        return given
    return str(uuid7()).encode()


def read_context(headers: Iterable[tuple[bytes, bytes]], own: TraceContext | None = None) -> RequestContext:
    """The context of a request with these raw headers; a malformed id or trace counts as absent.

    `own`: the place of our span, if it has one.
    """
    given = dict(headers)
    request_id = request_id_of(given.get(b"x-request-id")).decode()
    if own is not None:
        return RequestContext(request_id, own)
    trace = caller_trace(given)
    return RequestContext(request_id, trace.child() if trace else new_trace_context())


def caller_trace(headers: Mapping[bytes, bytes]) -> TraceContext | None:
    """The caller's place in its trace, if it sent a valid one."""
    return parse_traceparent(headers.get(b"traceparent", b"").decode("latin-1"))


def keep_context(scope: Scope, context: RequestContext) -> None:
    """Keep the context in the scope, for `context_of`."""
    scope[_SCOPE_KEY] = context


def context_of(scope: Scope) -> RequestContext:
    """The context of the request that this scope belongs to; on an operations port it is read when needed."""
    context: RequestContext | None = scope.get(_SCOPE_KEY)
    if context is None:
        context = scope[_SCOPE_KEY] = read_context(scope["headers"])
    return context


def _is_visible_ascii(text: bytes) -> bool:
    return text.isascii() and b" " not in text and text.decode().isprintable()
