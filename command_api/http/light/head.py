"""A request of the light path: its head, as the parser has read it, and its body."""

from collections.abc import Sequence
from time import perf_counter
from typing import Any

from command_api.http.body import BODY_BYTES_MAX
from command_api.http.given import HeaderValues, header_values
from command_api.http.light.addresses import Found
from shared.access.caller import Caller

# With one of these the protocol or a page of a browser has a part in the answer.
_NOT_PLAIN = (b"transfer-encoding", b"expect", b"upgrade", b"origin", b"content-encoding")


class LightRequest:
    """Kept because the parser goes on. uvicorn reads it like its parser if the framework has to answer."""

    __slots__ = (
        "_method", "body", "caller", "found", "is_kept_alive", "is_whole", "pairs", "scope", "started",
        "values",
    )  # fmt: skip

    def __init__(
        self, parser: Any, scope: Any, pairs: Sequence[tuple[bytes, bytes]], method: bytes, found: Found
    ) -> None:
        self.started = perf_counter()
        self.scope = scope
        self.pairs = pairs
        self.values: HeaderValues = header_values(pairs)
        self.found = found
        self.caller: Caller | None = None
        self.body = b""
        self.is_whole = False
        self.is_kept_alive: bool = parser.should_keep_alive()
        self._method = method

    @property
    def is_plain(self) -> bool:
        """Whether each header came once, and none makes the request an unusual one; with a body exactly if
        its endpoint reads one.
        """
        values = self.values
        if len(values) != len(self.pairs) or any(name in values for name in _NOT_PLAIN):
            return False
        length = values.get(b"content-length", (b"0",))[0]
        size_bytes = int(length) if length.isdigit() else BODY_BYTES_MAX + 1
        if self.found.endpoint.media_types:
            return 0 < size_bytes <= BODY_BYTES_MAX and b"content-type" in values
        return size_bytes == 0

    # uvicorn calls these methods of its parser when it makes a request from a head.

    def get_http_version(self) -> str:
        return "1.1"

    def get_method(self) -> bytes:
        return self._method

    def should_keep_alive(self) -> bool:
        return self.is_kept_alive

    def should_upgrade(self) -> bool:
        return False
