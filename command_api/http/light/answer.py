"""The bytes of an answer of the light path: the same lines as the framework and the layers around it make."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from command_api.http.single_commands import JSON
from shared.ops.http.answer_headers import HeaderLines
from shared.ops.http.problem import CONTENT_TYPE
from shared.rate_limits.budget import Decision
from shared.rate_limits.limits import Limits

_always = HeaderLines()
_status_lines = {
    each.value: b"HTTP/1.1 %d %b\r\n" % (each.value, each.phrase.encode()) for each in HTTPStatus
}
_JSON = b"content-type: %b\r\n" % JSON.encode()
_PROBLEM = b"content-type: %b\r\n" % CONTENT_TYPE.encode()
_NO_CONTENT = 204


class LightAnswers:
    """For all connections of a port. `is_private`: access control is on, and an answer is for its caller."""

    def __init__(self, rates: Limits, *, is_private: bool) -> None:
        self._rates = rates
        self._private = b"vary: Authorization\r\n" if is_private else b""

    def joined(
        self,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        *,
        is_problem: bool,
        always: list[tuple[bytes, bytes]],
        decisions: Sequence[Decision],
        request_id: str,
        is_kept_alive: bool,
    ) -> bytes:
        """A whole answer."""
        parts = [_status_lines[status], _always.of(always)]
        parts += [f"{name}: {value}\r\n".encode("latin-1") for name, value in headers.items()]
        if status != _NO_CONTENT:
            parts.append(b"content-length: %d\r\n" % len(body))
        if body:
            parts.append(_PROBLEM if is_problem else _JSON)
        if decisions:
            parts.append(self._rates.lines(decisions))
        parts.append(self._private)
        parts.append(b"x-request-id: %b\r\n" % request_id.encode())
        if not is_kept_alive:
            parts.append(b"connection: close\r\n")
        parts += (b"\r\n", body)
        return b"".join(parts)
