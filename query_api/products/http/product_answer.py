"""The HTTP answer for a found product; the hot read and the FastAPI routes both use it.

With `Cache-Control: no-cache` clients may keep a document, but must ask whether it is still the newest, which
costs a 304. Cache-Status is RFC 9211.
"""

from query_api.products.ports import CacheResult

Headers = list[tuple[bytes, bytes]]

_CACHE_STATUS: dict[CacheResult, tuple[bytes, bytes]] = {
    "hit": (b"cache-status", b"catalogue; hit"),
    "miss": (b"cache-status", b"catalogue; fwd=miss"),
    "bypass": (b"cache-status", b"catalogue; fwd=bypass"),
}
_REVALIDATE = (b"cache-control", b"no-cache")
_JSON = (b"content-type", b"application/json")


def cache_status(cache: CacheResult) -> tuple[bytes, bytes]:
    """The Cache-Status header."""
    return _CACHE_STATUS[cache]


def product_answer(
    stream_version: int, body: bytes, cache: CacheResult, *, is_head: bool, if_none_match: bytes | None
) -> tuple[int, Headers, bytes]:
    """(status, headers, body) of 200 or 304; a HEAD has GET's headers and no body."""
    etag = b'"%d"' % stream_version
    headers = [(b"etag", etag), _REVALIDATE, _CACHE_STATUS[cache]]
    if if_none_match is not None and matches(if_none_match, etag):
        return 304, headers, b""
    headers += (_JSON, (b"content-length", b"%d" % len(body)))
    return 200, headers, b"" if is_head else body


def matches(if_none_match: bytes, etag: bytes) -> bool:
    """Weak comparison (RFC 9110, 13.1.2): `*`, or one of the listed tags, `W/` or not."""
    if if_none_match == etag:
        return True
    tags = [tag.strip(b" \t").removeprefix(b"W/") for tag in if_none_match.split(b",")]
    return etag in tags or tags == [b"*"]
