"""Limits one server's requests in flight and bytes of bodies; answers requests whose body never arrives.

A request that waits for its body does no work, so it does not count as in flight; its received bytes count
instead. It waits for its place in the work queue when its body is whole; one without a body waits further
inside (`in_turn.py`). By then its caller is known. If a body cannot be completed, the protocol says so in the
scope, and this module answers in place of the application.
"""

from collections.abc import Iterable

from shared.ops.http.asgi import ASGIApp, ClientLeft, Message, Receive, Scope, Send, respond
from shared.ops.http.port_load import PortLoad
from shared.ops.http.problem import CONTENT_TYPE, RETRY_AFTER_SECONDS, Problem, problem_body
from shared.ops.http.protocol import REFUSAL
from shared.ops.metrics.requests import HTTP_REQUESTS_SHED
from shared.ops.overload.place import Place
from shared.ops.overload.work_queue import TurnedAway

OVERLOADED = Problem(503, "overloaded", "Too many requests are in progress.", "Try again after a moment.")
_RETRY_AFTER = (b"retry-after", b"%d" % RETRY_AFTER_SECONDS)
_CLOSE = (b"connection", b"close")
TOO_MANY, TOO_MANY_BYTES = "too-many-requests", "too-many-bytes"
INSTEAD = "shared.ops.http.instead"
"""The key in a request's scope for the status of the answer that replaces the application's."""
_DISCONNECT = {"type": "http.disconnect"}
_OF_A_BODY = frozenset({b"content-length", b"transfer-encoding"})


class InFlight:
    """`app` with the limits of `load`: requests beyond them are refused at once."""

    def __init__(self, app: ASGIApp, load: PortLoad) -> None:
        self.app = app
        self.load = load

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        load = self.load
        place = None if load.overload is None else load.overload.place_for(scope)
        if load.requests_are_too_many():
            await refuse(scope, send, shed(TOO_MANY))
        elif has_body(scope["headers"]):
            await _WithBody(self, place, scope, receive, send).run()
        else:
            load.requests += 1
            try:
                await self.app(scope, receive, send)
            finally:
                load.requests -= 1
                if place is not None:
                    place.leave()


class _WithBody:
    """One request with a body, or with the header of one."""

    def __init__(
        self, house: InFlight, place: Place | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self._app, self._load = house.app, house.load
        self._place, self._scope, self._receive, self._send = place, scope, receive, send
        self._problem: Problem | None = None
        self._was_asked_for = False
        self._is_whole = False
        self._is_answered = False
        self._held_bytes = 0

    async def run(self) -> None:
        """Run the application, then send the answer that replaces its own, if there is one."""
        load = self._load
        load.requests += 1
        try:
            await self._app(self._scope, self.receive, self.send)
        except ClientLeft:
            pass  # `receive` has raised it; no client waits for the answer
        finally:
            load.requests -= 1
            load.bodies_bytes -= self._held_bytes
            if self._place is not None:
                self._place.leave()
        if self._problem is not None:
            await refuse(self._scope, self._send, self._problem, *(() if self._is_whole else (_CLOSE,)))

    async def receive(self) -> Message:
        """The next piece. While it waits, the request does not count as in flight; a refused request gets
        nothing.
        """
        if self._is_whole or self._problem is not None:
            return _DISCONNECT if self._problem is not None else await self._receive()
        self._was_asked_for = True
        self._load.requests -= 1
        try:
            message = await self._receive()
        finally:
            self._load.requests += 1
        if not self._is_answered:
            self._problem = self._scope.get(REFUSAL) or self._count(message) or await self._wait()
            if self._problem is not None:
                self._scope[INSTEAD] = self._problem.status
        return message if self._problem is None else _DISCONNECT

    async def _wait(self) -> Problem | None:
        """A whole request waits until it may be worked on; the problem if it may not."""
        return await refusal_after_waiting(self._place) if self._is_whole else None

    def _count(self, message: Message) -> Problem | None:
        """The problem if a limit is exceeded."""
        if message["type"] != "http.request":
            return None
        load, size_bytes = self._load, len(message["body"])
        self._held_bytes += size_bytes
        load.bodies_bytes += size_bytes
        self._is_whole = not message["more_body"]
        is_too_much = load.bodies_bytes > load.bodies_bytes_max
        if is_too_much:
            return shed(TOO_MANY_BYTES)
        if self._is_whole and load.requests_are_too_many(but=1):
            return shed(TOO_MANY)
        return None

    async def send(self, message: Message) -> None:
        """Send the application's answer, unless another one replaces it."""
        if self._problem is not None:
            return
        if not self._is_answered:
            self._is_answered = True
            if not self._was_asked_for and _is_held_back(self._scope["headers"]):
                # The client may now send the body or not: it is unknown what the next bytes are.
                message["headers"] = [*message["headers"], _CLOSE]
        await self._send(message)


async def refusal_after_waiting(place: Place | None) -> Problem | None:
    """Wait until the request may be worked on; the problem if it may not."""
    if place is not None:
        try:
            await place.enter()
        except TurnedAway as turned_away:
            return shed(turned_away.reason)
    return None


def shed(reason: str) -> Problem:
    """The answer to a request for which nothing was done; `reason` is one of the metric."""
    HTTP_REQUESTS_SHED.labels(reason).inc()
    return OVERLOADED


async def refuse(scope: Scope, send: Send, problem: Problem, *headers: tuple[bytes, bytes]) -> None:
    """Answer with `problem`."""
    body = problem_body(problem, trace_id=None, request_id=None, instance=scope["path"])
    more = (_RETRY_AFTER, *headers) if problem.status == 503 else headers
    await respond(scope, send, problem.status, CONTENT_TYPE, body, more)


def has_body(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """A length of 0 is none: the application may begin at once."""
    return any(name in _OF_A_BODY and value != b"0" for name, value in headers)


def _is_held_back(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether the client waits for `100 Continue` (RFC 9110, 10.1.1)."""
    return any(name == b"expect" and value.lower() == b"100-continue" for name, value in headers)
