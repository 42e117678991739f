"""Checks the head of a request while the parser reads it."""

from shared.ops.http import heads
from shared.ops.http.closing import ClosingProtocol
from shared.ops.http.limits import HEAD_BYTES_MAX, TARGET_BYTES_MAX
from shared.ops.http.local_requests import NOT_THIS_HOST, NOT_THIS_ORIGIN
from shared.ops.http.problem import Problem


class _Stopped(Exception):
    """A callback has found a problem; the parser must stop."""


class CheckedHeadsProtocol(ClosingProtocol):
    """uvicorn's connection; it stops the parser at a head that RFC 9112 or a limit does not allow.

    `found` then has the problem. `head_may_be_large`: only such a head is measured.
    """

    head_is_open = False
    body_is_open = False
    head_may_be_large = False
    found: Problem | None = None
    _hosts = 0
    _host_seen = b""

    def on_message_begin(self) -> None:
        """A head begins."""
        self._unset_keepalive_if_required()
        self.head_is_open = True
        self._hosts = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A piece of the address; it arrives in several."""
        self.url += url
        if len(self.url) > TARGET_BYTES_MAX:
            self._stop(heads.URI_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header of the head. Trailers are dropped: they must not count as headers (RFC 9110, 6.5.1)."""
        if self.body_is_open:
            return
        name = name.lower()
        self.headers.append((name, value))
        if name == b"host":
            self._hosts += 1
            if value != self._host_seen:  # a usual client sends the same value with every request
                self._check_host(value)
        elif name == b"transfer-encoding":
            if (problem := heads.problem_of_coding(value)) is not None:
                self._stop(problem)
        elif name == b"origin":
            self._check_origin(value)
        elif name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True

    def check_head(self) -> str:
        """Refuse what RFC 9112 does not allow. Returns the HTTP version, 1.1 or 1.0."""
        version: str = self.parser.get_http_version()
        if self._hosts != 1 and (version == "1.1" or self._hosts):
            self._stop(heads.HOST_MISSING)
        if version != "1.1":
            self._check_older(version)
        if self.head_may_be_large and heads.head_bytes(self.url, self.headers) > HEAD_BYTES_MAX:
            self._stop(heads.HEAD_TOO_LARGE)
        return version

    def _stop(self, problem: Problem) -> None:
        self.found = problem
        raise _Stopped

    def _check_host(self, value: bytes) -> None:
        if not heads.is_host(value):
            self._stop(heads.HOST_MALFORMED)
        if self.limits.local is not None and not self.limits.local.takes_host(value):
            self._stop(NOT_THIS_HOST)
        self._host_seen = value

    def _check_origin(self, value: bytes) -> None:
        """A listed origin may do what its preflight says, also while access control is off."""
        local, listed = self.limits.local, self.answer_headers.origins
        if local is None or local.takes_origin(value) or (listed is not None and listed.lines_for(value)):
            return
        self._stop(NOT_THIS_ORIGIN)

    def _check_older(self, version: str) -> None:
        """HTTP/1.0 has neither chunks nor expectations; other versions are not supported."""
        if version != "1.0":
            self._stop(heads.VERSION_UNKNOWN)
        if any(name == b"transfer-encoding" for name, _ in self.headers):
            self._stop(heads.LENGTH_UNKNOWN)
        self.expect_100_continue = False
