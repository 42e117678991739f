"""Limits the requests of each caller, inside access control, which knows the caller.

A caller has a rate, and a number of requests in progress: one with many slow requests would take the places
of all others. A request counts from its head on, also while its body arrives. The work queue is told whose
request it is, also if there is no limit: callers share its places.
"""

from asyncio import Future
from collections.abc import Callable, Sequence

from shared.access.caller import caller_in
from shared.ops.http.asgi import ASGIApp, Receive, Scope, Send, with_headers
from shared.ops.http.problem import Problem
from shared.ops.http.problem_answer import send_problem
from shared.ops.metrics.rate_limits import CALLER_REQUESTS_REFUSED
from shared.ops.overload.place import place_of_request
from shared.rate_limits.budget import Decision
from shared.rate_limits.client_address import ClientAddresses
from shared.rate_limits.in_progress import CallersInProgress
from shared.rate_limits.limits import TAKES, Limits, caller_of, retry_after_seconds

RATE_LIMITED = Problem(429, "rate-limited", "Too many requests", "Try again after Retry-After.")
TOO_MANY_IN_PROGRESS = Problem(
    429,
    "too-many-requests-in-progress",
    "This caller has too many requests in progress",
    "Wait for answers before you send more.",
)
LimitsOf = Callable[[Scope], Limits]
_RETRY_SOON = (b"retry-after", b"1")
_CLOSE = (b"connection", b"close")
_OF_A_BODY = frozenset({b"content-length", b"transfer-encoding"})


class RateLimitLayer:
    """`limits_of` tells the kind of a request; `in_progress_max` is for each caller (None: no limit)."""

    def __init__(
        self,
        app: ASGIApp,
        limits_of: LimitsOf,
        addresses: ClientAddresses,
        in_progress_max: int | None,
        in_progress: CallersInProgress,
    ) -> None:
        self._app = app
        self._limits_of = limits_of
        self._addresses = addresses
        self._in_progress_max = in_progress_max
        self._in_progress = in_progress

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        limits = self._limits_of(scope)
        address = self._addresses.of_request(scope)
        caller = caller_in(scope)
        subject = None if caller is None else caller.subject
        who = caller_of(subject, address)
        place = place_of_request()
        if place is not None:
            place.caller = who
        if not limits.is_active and self._in_progress_max is None:
            await self._app(scope, receive, send)
            return
        takes: Sequence[Future[Decision]] = scope.pop(TAKES, None) or limits.take(subject, address)
        self._in_progress.begin(who)
        try:
            decisions = [await each for each in takes]
            limits.count(decisions)
            await self._answer(scope, receive, send, limits, decisions, self._in_progress.of(who))
        finally:
            self._in_progress.end(who)

    async def _answer(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        limits: Limits,
        decisions: Sequence[Decision],
        in_progress: int,
    ) -> None:
        headers = limits.headers(decisions) if decisions else []
        refused_seconds = retry_after_seconds(decisions)
        if refused_seconds:
            retry = (b"retry-after", b"%d" % refused_seconds)
            await send_problem(scope, send, RATE_LIMITED, [*headers, retry])
        elif self._in_progress_max is not None and in_progress > self._in_progress_max:
            CALLER_REQUESTS_REFUSED.inc()
            more = [*headers, _RETRY_SOON, *_close(scope)]
            await send_problem(scope, send, TOO_MANY_IN_PROGRESS, more)
        else:
            await self._app(scope, receive, with_headers(send, headers) if headers else send)


def _close(scope: Scope) -> Sequence[tuple[bytes, bytes]]:
    """The body of such a request is not waited for: a slow one would keep the connection."""
    return (_CLOSE,) if any(name in _OF_A_BODY for name, _ in scope["headers"]) else ()
