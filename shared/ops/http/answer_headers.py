"""The headers that every answer of a port has, errors of the protocol included.

The server adds them to each answer, so no route can forget them. Their bytes are made once: an answer costs
no formatting. The policy of a page that shows something in a browser replaces the strict one of the API.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shared.ops.http.cross_origin import AllowedOrigins

Pairs = list[tuple[bytes, bytes]]

_POLICY = b"content-security-policy"
_STRICT: Pairs = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    # Nothing in an answer of an API may be shown as a page, run, or put into a frame.
    (_POLICY, b"default-src 'none'; frame-ancestors 'none'"),
]

PAGE_POLICIES: Mapping[bytes, bytes] = {
    # Swagger UI sets styles and draws its icons as data: addresses; it may call the API that it describes.
    b"/docs": b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}
"""The policies of the APIs' pages (`documentation.py`)."""


@dataclass(frozen=True, slots=True)
class AnswerHeaders:
    """`always` are in each answer. `page_policies` has the Content-Security-Policy of pages by their path.
    Pages of the `origins` may read the answers (None: of no origin).
    """

    always: Sequence[tuple[bytes, bytes]] = tuple(_STRICT)
    page_policies: Mapping[bytes, bytes] = field(default_factory=dict)
    origins: AllowedOrigins | None = None

    def of_page(self, path: bytes, headers: Pairs) -> Pairs:
        """`headers` with the policy of the page at `path`, if it has one of its own."""
        policy = self.page_policies.get(path)
        if policy is None:
            return headers
        return [*((name, value) for name, value in headers if name != _POLICY), (_POLICY, policy)]


def api_headers(
    *, page_policies: Mapping[bytes, bytes], hsts_seconds: int, origins: AllowedOrigins | None
) -> AnswerHeaders:
    """The headers of an API. `hsts_seconds` above 0: browsers use only TLS for so long (RFC 6797)."""
    always = list(_STRICT)
    if hsts_seconds:
        always.append((b"strict-transport-security", b"max-age=%d" % hsts_seconds))
    if origins is not None:
        always.append((b"vary", b"Origin"))
    return AnswerHeaders(tuple(always), page_policies, origins)


class HeaderLines:
    """Header pairs as the lines of an answer; joined again only if the list is another one.

    uvicorn makes a new list once a second, because Date is in it.
    """

    __slots__ = ("_lines", "_pairs")

    def __init__(self) -> None:
        self._pairs: Pairs = []
        self._lines = b""

    def of(self, pairs: Pairs) -> bytes:
        """The lines, each with its line end."""
        if pairs is not self._pairs:
            self._pairs = pairs
            self._lines = b"".join(b"%b: %b\r\n" % pair for pair in pairs)
        return self._lines
