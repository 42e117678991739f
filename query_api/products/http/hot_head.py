"""The head of a hot read, as its answer needs it, and what the application has to know of the read."""

from time import perf_counter
from typing import Any

from query_api.products.ports import CacheResult
from shared.access.caller import Caller

METHODS = (b"GET", b"HEAD")
# With one of these headers the answer depends on more than the address, or a body follows.
_NOT_PLAIN = frozenset(
    {b"consistency-token", b"content-length", b"transfer-encoding", b"expect", b"upgrade", b"if-match"}
)

# The key in a request's scope for a hot read whose cache has failed: nobody waits for a dead Redis twice.
CACHE_FAILED = "query_api.cache_failed"


class HotHead:
    """The parser's data about a complete head; kept because the parser goes on to the next request."""

    __slots__ = (
        "_http_version", "cache", "caller", "extra", "is_kept_alive", "method", "origin", "prefer",
        "request_id", "started", "tags", "token", "trace",
    )  # fmt: skip

    def __init__(self, parser: Any, http_version: str, method: bytes) -> None:
        self.method = method
        self.caller: Caller | None = None
        self.started = perf_counter()
        self.request_id: bytes | None = None
        self.origin: bytes | None = None
        self.tags: bytes | None = None
        self.trace: bytes | None = None
        self.token: bytes | None = None
        self.prefer: bytes | None = None
        self.cache: CacheResult = "hit"
        self.extra = b""
        self._http_version = http_version
        self.is_kept_alive: bool = http_version != "1.0" and parser.should_keep_alive()

    def reads_plainly(self, headers: list[tuple[bytes, bytes]]) -> bool:
        """Keep the headers that the answer depends on; False if the application has to answer. A second token
        is not plain.
        """
        for name, value in headers:
            if name == b"x-request-id":
                self.request_id = value
            elif name == b"if-none-match":
                self.tags = value if self.tags is None else self.tags + b"," + value
            elif name == b"origin":
                self.origin = value
            elif name == b"traceparent":
                self.trace = value
            elif name == b"prefer":
                self.prefer = value if self.prefer is None else self.prefer + b"," + value
            elif name == b"consistency-token" and self.token is None:
                self.token = value
            elif name in _NOT_PLAIN:
                return False
        return True

    # uvicorn calls these methods of its parser when it makes a request from a head.

    def get_http_version(self) -> str:
        return self._http_version

    def get_method(self) -> bytes:
        return self.method

    def should_keep_alive(self) -> bool:
        return self.is_kept_alive

    def should_upgrade(self) -> bool:
        return False
