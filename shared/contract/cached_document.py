"""The form of a product in Redis: one STRING, so that MGET reads it and Lua can compare the version prefix.

    0000000000000003L{"id": …}      16 digits of stream version, L (live) or T (tombstone), the body

A hash would be easier to read for people, but MGET returns nothing for hashes, and the hot read is an MGET.
"""

from typing import NamedTuple

VERSION_DIGITS = 16
_LIVE, _TOMBSTONE = b"L", b"T"


class CachedDocument(NamedTuple):
    """A document, or the tombstone of a deleted product (with an empty `body`)."""

    stream_version: int
    is_deleted: bool
    body: bytes


def pack(stream_version: int, body: bytes | None) -> bytes:
    """The stored value; `body` None packs a tombstone."""
    prefix = b"%016d" % stream_version
    return prefix + _TOMBSTONE if body is None else prefix + _LIVE + body


def unpack(value: bytes) -> CachedDocument:
    """The parts of a stored value. Raises `ValueError` if it is not a cached document."""
    flag = value[VERSION_DIGITS : VERSION_DIGITS + 1]
    if flag not in (_LIVE, _TOMBSTONE):
        raise ValueError("not a cached document: flag byte missing")
    digits = value[:VERSION_DIGITS]
    if not digits.isdigit():  # int() would also accept signs, spaces and underscores
        raise ValueError("not a cached document: version missing")
    return CachedDocument(int(digits), flag == _TOMBSTONE, value[VERSION_DIGITS + 1 :])
