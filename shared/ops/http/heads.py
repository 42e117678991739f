"""Rules for a request's head that the parser does not check (RFC 9112), and their problems.

The parser (llhttp) itself refuses a space before the colon, folded lines, bare CR and LF, control characters,
Content-Length twice or beside Transfer-Encoding, and lengths that are not digits.
"""

import re

from shared.ops.http.limits import FRAMING_BYTES_MAX, HEAD_BYTES_MAX, TARGET_BYTES_MAX
from shared.ops.http.problem import Problem

MALFORMED = Problem(400, "malformed-request", "The request is not valid HTTP.")
INCOMPLETE = Problem(
    400, "malformed-request", MALFORMED.title, "The client stopped sending in the middle of a request."
)
HOST_MISSING = Problem(400, "malformed-request", MALFORMED.title, "HTTP/1.1 needs the Host header, once.")
HOST_MALFORMED = Problem(400, "malformed-request", MALFORMED.title, "Host is not a host with its port.")
LENGTH_UNKNOWN = Problem(
    400, "malformed-request", MALFORMED.title, "Transfer-Encoding must be chunked, in HTTP/1.1."
)
HEAD_TOO_LARGE = Problem(431, "head-too-large", f"Request line and headers exceed {HEAD_BYTES_MAX} bytes.")
FRAMING_TOO_LARGE = Problem(
    431, "head-too-large", f"Chunk extensions and trailers exceed {FRAMING_BYTES_MAX} bytes."
)
URI_TOO_LONG = Problem(
    414, "uri-too-long", f"The address with its query string exceeds {TARGET_BYTES_MAX} bytes."
)
CODING_UNKNOWN = Problem(
    501, "transfer-coding-not-supported", "Transfer-Encoding other than chunked is not supported."
)
VERSION_UNKNOWN = Problem(505, "http-version-not-supported", "Only HTTP/1.1 and HTTP/1.0 are supported.")
TOO_SLOW = Problem(408, "request-timeout", "The request did not arrive in time.")

# A name, an IPv4 or an IPv6 address, and a port (RFC 3986, 3.2.2); empty is allowed (RFC 9112, 3.2).
_host = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)(?::[0-9]{0,5})?")
_authority = re.compile(rb"https?://[^/?#]*", re.IGNORECASE)


def is_host(value: bytes) -> bool:
    """Whether a Host header may have this value."""
    return _host.fullmatch(value) is not None


def problem_of_coding(value: bytes) -> Problem | None:
    """The problem of this Transfer-Encoding, or None. If `chunked` is not the last one, the body's end is
    unknown.
    """
    coding = value.strip(b" \t").lower()
    if coding == b"chunked":
        return None
    return CODING_UNKNOWN if coding.split(b",")[-1].strip(b" \t") == b"chunked" else LENGTH_UNKNOWN


def with_path(target: bytes) -> bytes:
    """The request's target; an absolute one without a path (RFC 9112, 3.2.2) gets `/`."""
    authority = _authority.match(target)
    if authority is None or target[authority.end() : authority.end() + 1] == b"/":
        return target
    return b"%b/%b" % (authority[0], target[authority.end() :])


def head_bytes(target: bytes, headers: list[tuple[bytes, bytes]]) -> int:
    """The sent size of a head, without optional blanks."""
    return len(target) + sum(len(name) + len(value) + len(b": \r\n") for name, value in headers)
