"""Admits a bounded number of requests, and only query strings that are UTF-8."""

from query_api.http.problems import problem_of
from query_api.http.query_text import refused_query
from shared.ops.http.asgi import ASGIApp, Receive, Scope, Send
from shared.ops.http.in_flight import TOO_MANY, shed
from shared.ops.http.problem_answer import send_problem


class Admission:
    """An ASGI application in front of the framework's; it admits at most `in_progress_max` requests."""

    def __init__(self, app: ASGIApp, *, in_progress_max: int) -> None:
        self._app = app
        self._in_progress_max = in_progress_max
        self._in_progress = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        self._in_progress += 1
        try:
            if self._in_progress > self._in_progress_max:
                await send_problem(scope, send, shed(TOO_MANY))
            elif (refused := refused_query(scope["query_string"])) is not None:
                await send_problem(scope, send, problem_of(refused))
            else:
                await self._app(scope, receive, send)
        finally:
            self._in_progress -= 1
