"""A connection that answers some requests in the protocol, before uvicorn makes a request object of them.

At most one such request, the early one, is in progress on it, and no other request at the same time. Whatever
does not fit becomes an ordinary request of the application: uvicorn keeps the order of answers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from shared.ops.http.problem import Problem
from shared.ops.http.protocol import BoundedHttpProtocol


class EarlyRequest(Protocol):
    """One that is answered here. To hand it over, it needs the methods of a parser that uvicorn calls."""

    is_kept_alive: bool


class EarlyAnswersProtocol(BoundedHttpProtocol):
    """`early` is the request in progress that is answered here."""

    early: EarlyRequest | None = None

    def hand_over(self) -> None:
        """Make the early request an ordinary one."""
        raise NotImplementedError

    def on_message_begin(self) -> None:
        """For a pipelined request: uvicorn also gets the one before."""
        if self.early is not None:
            self.hand_over()
        super().on_message_begin()

    def is_answering(self) -> bool:
        """An early request is an answer that is due, too."""
        return self.early is not None or super().is_answering()

    def close_after_answers(self) -> None:
        """End the early request, before it becomes another one."""
        if self.early is not None:
            self.early.is_kept_alive = False
        else:
            super().close_after_answers()

    def shutdown(self) -> None:
        """The server stops: the early request is answered, then its connection closes."""
        if self.early is not None:
            self.early.is_kept_alive = False
        else:
            super().shutdown()

    def refuse(self, problem: Problem) -> None:
        """Hand the early request over first."""
        if self.early is not None:
            self.hand_over()
        super().refuse(problem)

    def is_idle(self) -> bool:
        """True if no answer of the application is in progress, and the client reads what is sent."""
        return (self.cycle is None or self.cycle.response_complete) and not self.flow.write_paused

    def write_answer(self, request: EarlyRequest, answer: bytes) -> None:
        """The whole answer to a request that was the early one."""
        self.transport.write(answer)
        self.server_state.total_requests += 1
        if request.is_kept_alive:
            self.close_unless_head_arrives()
        else:
            self.close_after_reading()

    @contextmanager
    def as_parsed(self, request: Any) -> Iterator[None]:
        """While an early request is handed over, it replaces the parser, which may be in the next one."""
        parser, self.parser = self.parser, request
        try:
            yield
        finally:
            self.parser = parser
