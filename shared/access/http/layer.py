"""Stands before a port's application: who calls, and may they use this route?

It decides before the application reads a body or a parameter, so that a caller without a token learns
nothing about either. An address without a route gets its 404 or 405 from the application without a token:
which addresses exist is no secret (`/openapi.json` lists them).
"""

from collections.abc import Callable
from typing import NamedTuple

from shared.access.caller import Caller, keep_caller
from shared.access.errors import AccessError
from shared.access.guard import Guard
from shared.access.http.bearer import Refusal, bearer_token, refusal, scope_refusal
from shared.access.scopes import Scope as Right
from shared.ops.http.asgi import ASGIApp, Message, Receive, Scope, Send
from shared.ops.http.problem_answer import send_problem
from shared.ops.logs import add_log_fields


class Row(NamedTuple):
    """One line of a port's table. `needs` None: public. A path is a template, such as `/v1/products/{id}`."""

    method: str
    path: str
    needs: Right | None


FindRow = Callable[[Scope], Row | None]
"""The row of a request; None: there is no such route."""


FindCaller = Callable[[Scope], Caller | None]
"""The caller of a request that has something else than a token. Raises `InvalidToken`."""


class AccessLayer:
    """Lets a request through whose token has the scope of its route; `caller_in` then tells its caller.

    `caller_by_ticket` is asked where there is no Authorization header.
    """

    def __init__(
        self, app: ASGIApp, find_row: FindRow, guard: Guard, caller_by_ticket: FindCaller | None = None
    ) -> None:
        self._app = app
        self._find_row = find_row
        self._guard = guard
        self._caller_by_ticket = caller_by_ticket

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        row = self._find_row(scope) if scope["type"] == "http" else None
        if row is None or row.needs is None:
            await self._app(scope, receive, send)
            return
        try:
            caller = self._by_ticket(scope)
            if caller is None:
                caller = await self._guard.caller(bearer_token(scope["headers"], scope["query_string"]))
        except AccessError as error:
            await self._refuse(scope, send, row, refusal(error))
            return
        add_log_fields(actor=caller.subject)
        if not caller.may(row.needs):
            await self._refuse(scope, send, row, scope_refusal(row.needs), caller)
            return
        keep_caller(scope, caller)
        await self._app(scope, receive, _for_this_caller(send))

    def _by_ticket(self, scope: Scope) -> Caller | None:
        if self._caller_by_ticket is None or any(name == b"authorization" for name, _ in scope["headers"]):
            return None
        return self._caller_by_ticket(scope)

    async def _refuse(
        self, scope: Scope, send: Send, row: Row, refused: Refusal, caller: Caller | None = None
    ) -> None:
        self._guard.refusals.note(scope, row.method, row.path, refused.problem, caller)
        headers = [(name.encode(), value.encode()) for name, value in refused.headers.items()]
        await send_problem(scope, send, refused.problem, headers)


def _for_this_caller(send: Send) -> Send:
    async def send_privately(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = private_headers(message.get("headers", ()))
        await send(message)

    return send_privately


def private_headers(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Caches that several callers share keep no answer, because the next caller may not see it."""
    made = [
        (name, b"private, " + value)
        if name == b"cache-control" and b"no-store" not in value and b"private" not in value
        else (name, value)
        for name, value in headers
    ]
    return [*made, (b"vary", b"Authorization")]
