"""Begins a request without a body when it has its place in the work queue.

Inside access control and the limits of callers: who may not call, or has too many requests in progress, is
refused before, and never waits for a place; and the queue knows whose request it is.
"""

from shared.ops.http.asgi import ASGIApp, Receive, Scope, Send
from shared.ops.http.in_flight import has_body, refusal_after_waiting
from shared.ops.http.problem_answer import send_problem
from shared.ops.overload.place import place_of_request


class InTurn:
    """A request with a body waits when its body is whole (`in_flight.py`), and passes here at once."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if not has_body(scope["headers"]):
            problem = await refusal_after_waiting(place_of_request())
            if problem is not None:
                await send_problem(scope, send, problem)
                return
        await self._app(scope, receive, send)
