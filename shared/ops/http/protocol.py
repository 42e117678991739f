"""uvicorn's httptools protocol with the limits and the error shape that it lacks.

uvicorn bounds neither the number of connections, nor the size of a request's head, nor the time that a
connection may take to send one, so sockets could hold memory and descriptors for ever; and it answers a
malformed request as plain text.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.ops.http.problem import CONTENT_TYPE, Problem, problem_body

HEAD_BYTES_MAX = 65_536
CONNECTIONS_MAX = 4096
_MALFORMED = Problem(400, "malformed-request", "The request is not valid HTTP.")
_TOO_MANY_CONNECTIONS = Problem(503, "too-many-connections", f"More than {CONNECTIONS_MAX} are open.")
_HEAD_TOO_LARGE = Problem(431, "head-too-large", f"Request line and headers exceed {HEAD_BYTES_MAX} bytes.")


class BoundedHttpProtocol(HttpToolsProtocol):
    """One connection. A head (request line and headers) has at most 64 KiB, and the keep-alive time to
    arrive.

    Only a head that is split over several reads costs anything here; the usual request comes in one.
    """

    _heads = 0
    _head_bytes = 0
    _body_is_open = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Time the wait for the first request as uvicorn times the wait for the next."""
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS_MAX:
            self._refuse(_TOO_MANY_CONNECTIONS)
        else:
            self.close_unless_head_arrives()

    def on_headers_complete(self) -> None:
        """Make a request of it."""
        self.count_head()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Nothing more of it will come."""
        self.count_body()
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        """Parse; bytes that neither belong to a body nor complete a head are of an unfinished head."""
        heads, was_body = self._heads, self._body_is_open
        super().data_received(data)
        if was_body or heads != self._heads or self.transport.is_closing():
            return
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_BYTES_MAX:
            self._refuse(_HEAD_TOO_LARGE)
        else:
            self.close_unless_head_arrives()

    def send_400_response(self, msg: str) -> None:
        """What the parser refused, as a problem document like every other error."""
        self._refuse(_MALFORMED)

    def count_head(self) -> None:
        """A head is complete: what follows is its body, and the next head starts to count anew."""
        self._heads += 1
        self._head_bytes = 0
        self._body_is_open = True

    def count_body(self) -> None:
        """The body is complete; an answer may have been sent long before (413) or come long after."""
        self._body_is_open = False

    def close_unless_head_arrives(self) -> None:
        """uvicorn's keep-alive timer, set anew by each read: a trickle ends at HEAD_BYTES_MAX."""
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def _refuse(self, problem: Problem) -> None:
        body = problem_body(problem, trace_id=None, request_id=None, instance=None)
        head = (
            f"HTTP/1.1 {problem.status} {problem.code}\r\ncontent-type: {CONTENT_TYPE}\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
