"""Extends uvicorn's httptools protocol with limits, with the right order of answers, and with problem
documents.

uvicorn limits neither the number of connections, nor the size of a head, nor the time that a client may take
to send a request. It sends a refusal before answers that are still due, and it answers a malformed request
with plain text. Here a refusal is an answer like the others, in its turn.
"""

import asyncio
from typing import Any

import httptools

from shared.ops.http import heads
from shared.ops.http.arrival import ArrivalClock
from shared.ops.http.checked_heads import CheckedHeadsProtocol
from shared.ops.http.closing import AnswerTransport
from shared.ops.http.limits import (
    CONNECTIONS_MAX,
    DRAINED_BYTES_MAX,
    FRAMING_BYTES_MAX,
    HEAD_BYTES_MAX,
)
from shared.ops.http.open_answer import OPEN_ANSWER, OpenAnswer
from shared.ops.http.problem import Problem

# The key in a request's scope for the reason why its body cannot be completed (`in_flight.py` reads it).
REFUSAL = "shared.ops.http.refusal"
_TOO_MANY_CONNECTIONS = Problem(503, "too-many-connections", f"More than {CONNECTIONS_MAX} are open.")


class BoundedHttpProtocol(CheckedHeadsProtocol):
    """One connection, with the limits of `limits.py`.

    Only a request that arrives in several reads costs time here; a usual one arrives in one.
    """

    _heads = 0
    _head_bytes = 0
    _refusal: Problem | None = None
    open_answer: OpenAnswer | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Time the wait for the first request as uvicorn times the wait for the next."""
        super().connection_made(transport)
        self._answers: Any = AnswerTransport(self)
        self._clock = ArrivalClock(
            self.loop, self.limits, lambda: self.flow.read_paused, lambda: self.refuse(heads.TOO_SLOW)
        )
        if len(self.connections) > CONNECTIONS_MAX:
            self.answer_and_close(_TOO_MANY_CONNECTIONS)
        else:
            self.close_unless_head_arrives()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timers, so that they do not keep a lost connection in memory."""
        self._clock.stop()
        super().connection_lost(exc)
        if self.open_answer is not None:
            self.open_answer.lost()

    def data_received(self, data: bytes) -> None:
        """Parse; a head or body that begins here and does not end is timed until it does."""
        if self.is_deaf:
            return
        self.head_may_be_large = self.head_is_open or len(data) > HEAD_BYTES_MAX
        heads_before, was_body = self._heads, self.body_is_open
        self._feed(data)
        if (self.head_is_open or self.body_is_open) and not self.is_deaf:
            has_begun = heads_before != self._heads or (was_body and self.head_is_open)
            self._expect_the_rest(len(data), has_begun=has_begun)

    def eof_received(self) -> bool:  # type: ignore[override]
        """The client sends no more, but may still read: answer its requests, then close."""
        self.has_ended = True
        if self.is_lingering or self.open_answer is not None:
            return False  # who has an answer without end and closes its side has left
        if self.is_deaf:
            return True
        if self.head_is_open or self.body_is_open:
            self.refuse(heads.INCOMPLETE)
            return True
        if not self.is_answering():
            return False
        self.is_deaf = True
        self.close_after_answers()
        return True

    def is_answering(self) -> bool:
        """Whether an answer is due."""
        return self.cycle is not None and not self.cycle.response_complete

    def close_after_answers(self) -> None:
        """Close the connection after the last answer that is due."""
        self.cycle.keep_alive = False

    def leave(self) -> None:
        """Tell the client with the next answer to go on with another connection."""
        self.is_leaving = True
        if self.is_answering():
            self.close_after_answers()

    def refuse(self, problem: Problem) -> None:
        """Answer `problem` after all earlier requests are answered, then close.

        In the middle of a body it is the answer to that request, if the application still waits for the body.
        If the application works already, or has answered, its own answer counts.
        """
        self.logger.warning("Refused a request: %s", problem.code)
        self.is_deaf = True
        self._clock.stop()
        if self.body_is_open:
            self.cycle.keep_alive = False
            if self.cycle.response_complete:
                self.close_after_reading()
            else:
                self.cycle.scope[REFUSAL] = problem  # type: ignore[literal-required]
                self.cycle.message_event.set()
        elif self.is_answering():
            self._refusal = problem
        else:
            self.answer_and_close(problem)

    def on_response_complete(self) -> None:
        """Start the next request; after the last one, send a refusal that came meanwhile."""
        self._answers.flush()
        super().on_response_complete()
        if self.is_lingering or self.transport.is_closing():
            self._unset_keepalive_if_required()
        elif self.is_answering():
            return
        elif self._refusal is not None:
            self.answer_and_close(self._refusal)
        elif self.head_is_open or self.body_is_open:
            # The clock replaces the keep-alive timer; the rest of a body is only dropped.
            self._unset_keepalive_if_required()
            self._clock.stop()
            self._clock.count_anew()
            self._clock.start(is_body=self.body_is_open)

    def on_headers_complete(self) -> None:
        """A head is complete: make a request from it."""
        self.check_head()
        self.make_request()

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        self._clock.content_bytes += len(body)
        super().on_body(body)

    def on_chunk_header(self) -> None:
        """The head of each chunk, including the last, empty one."""
        self._clock.chunks += 1

    def on_message_complete(self) -> None:
        """The body is complete; its answer may have been sent before (413), or come much later."""
        self.count_body()
        super().on_message_complete()
        if self.cycle.response_complete:
            self.close_unless_head_arrives()

    def make_request(self) -> None:
        """Let uvicorn start the application, or queue it behind the requests before."""
        self.url = heads.with_path(self.url)
        super().on_headers_complete()
        self.cycle.transport = self._answers
        self.scope[OPEN_ANSWER] = self, self.cycle  # type: ignore[literal-required]
        self.cycle.default_headers = self.answer_headers.of_page(
            self.scope["raw_path"], self.cycle.default_headers
        )
        self.count_head()
        if self.is_leaving:
            self.close_after_answers()

    def count_head(self) -> None:
        """A head is complete: its body follows, and the size of the next head is counted from 0."""
        self._heads += 1
        self.head_is_open = False
        self._head_bytes = 0
        self.body_is_open = True
        self._clock.stop()
        self._clock.count_anew()

    def count_body(self) -> None:
        """The body is complete."""
        self.body_is_open = False
        self._clock.stop()

    def close_unless_head_arrives(self) -> None:
        """uvicorn's keep-alive timer, from now on."""
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def _feed(self, data: bytes) -> None:
        """Ignore a requested upgrade (RFC 9110, 7.8): the parser stops there, and must be made to
        continue.
        """
        while data:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]
            except httptools.HttpParserError:
                self.refuse(self.found or heads.MALFORMED)
                return

    def _expect_the_rest(self, received_bytes: int, *, has_begun: bool) -> None:
        """For the unfinished head or body: let its clock run, and limit its size.

        It is unknown at which byte of a read it began, so of that read only the content of a body counts.
        """
        clock = self._clock
        clock.start(is_body=self.body_is_open)
        if self.head_is_open:
            self._head_bytes += 0 if has_begun else received_bytes
            if self._head_bytes > HEAD_BYTES_MAX:
                self.refuse(heads.HEAD_TOO_LARGE)
            return
        clock.arrived_bytes += clock.content_bytes if has_begun else received_bytes
        if clock.framing_bytes() > FRAMING_BYTES_MAX:
            self.refuse(heads.FRAMING_TOO_LARGE)
        elif self.cycle.response_complete and clock.arrived_bytes > DRAINED_BYTES_MAX:
            self.close_after_reading()
