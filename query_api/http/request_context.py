"""What identifies a request in logs and problem documents: its own id, and the caller's trace."""

import itertools
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from shared.ops.trace_context import new_trace_context, parse_traceparent

REQUEST_ID_CHARACTERS_MAX = 128
SCOPE_KEY = "query_api.request"
_process = secrets.token_hex(8)
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class RequestContext:
    """`trace_id` is the caller's, or a new one where the caller sent no valid traceparent."""

    request_id: str
    trace_id: str


def request_id_of(given: bytes | None) -> bytes:
    """The caller's X-Request-Id where it is usable, else a new one.

    New ones are a random number of this process and a counter: unique without a system call per request.
    """
    if given and len(given) <= REQUEST_ID_CHARACTERS_MAX and given.isascii() and given.decode().isprintable():
        return given
    return b"%s-%x" % (_process.encode(), next(_numbers))


def context_of(headers: Iterable[tuple[bytes, bytes]]) -> RequestContext:
    """The context of a request with these raw headers."""
    given = dict(headers)
    trace = parse_traceparent(given.get(b"traceparent", b"").decode("latin-1")) or new_trace_context()
    request_id = request_id_of(given.get(b"x-request-id")).decode()
    return RequestContext(request_id, trace.trace_id)
