"""Chooses the coding of an answer from Accept-Encoding (RFC 9110, 12.5.3), and makes compressors.

A compressor's first piece is flushed, so that a client sees at once that the answer comes; later ones are
not, because each flush costs some compression.
"""

import re
import zlib
from collections.abc import Sequence
from typing import Literal, Protocol

import zstandard

from query_api.errors import NotAcceptable

Coding = Literal["zstd", "gzip", "identity"]
# With equal weights the first one is chosen.
CODINGS: tuple[Coding, ...] = ("zstd", "gzip", "identity")
_ALIASES = {"x-gzip": "gzip"}
_GZIP_LEVEL, _ZSTD_LEVEL = 4, 3
_GZIP_WINDOW = 16 + zlib.MAX_WBITS  # zlib's way to ask for the format of gzip
_member = re.compile(
    r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*(?:;[ \t]*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?", re.ASCII
)


class Compressor(Protocol):
    """Used for one answer, piece by piece. `takes_time`: a piece takes so long that a thread should do it."""

    takes_time: bool

    def compress(self, piece: bytes) -> bytes: ...

    def flush(self) -> bytes:
        """What is held back, so that the reader has every piece until now."""
        ...

    def finish(self) -> bytes: ...


def chosen_coding(accept_encoding: Sequence[str]) -> Coding:
    """The coding with the highest weight. Raises `NotAcceptable` if the client refuses all of them."""
    if not accept_encoding:
        return "identity"
    weights: dict[str, float] = {}
    for member in ",".join(accept_encoding).split(","):
        if match := _member.fullmatch(member.strip(" \t")):
            name = match.group(1).lower()
            weights.setdefault(_ALIASES.get(name, name), float(match.group(2) or 1))
    others = weights.get("*")
    # Without a word about it, `identity` is acceptable, but any coding that is named is wanted more.
    usual = {"identity": 0.0005 if others is None else others}
    by_weight = {one: weights.get(one, usual.get(one, others or 0.0)) for one in CODINGS}
    best = max(CODINGS, key=lambda one: by_weight[one])
    if by_weight[best] <= 0:
        raise NotAcceptable("Accept-Encoding refuses zstd, gzip and identity")
    return best


def compressor(coding: Coding) -> Compressor:
    """A new one of this coding."""
    match coding:
        case "zstd":
            return _Zstd()
        case "gzip":
            return _Gzip()
        case "identity":
            return _Identity()


class _Identity:
    takes_time = False

    def compress(self, piece: bytes) -> bytes:
        return piece

    def flush(self) -> bytes:
        return b""

    def finish(self) -> bytes:
        return b""


class _Gzip:
    takes_time = True

    def __init__(self) -> None:
        self._object = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)

    def compress(self, piece: bytes) -> bytes:
        return self._object.compress(piece)

    def flush(self) -> bytes:
        return self._object.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        return self._object.flush(zlib.Z_FINISH)


class _Zstd:
    takes_time = True

    def __init__(self) -> None:
        self._object = zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=True).compressobj()

    def compress(self, piece: bytes) -> bytes:
        return self._object.compress(piece)

    def flush(self) -> bytes:
        return self._object.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)

    def finish(self) -> bytes:
        return self._object.flush(zstandard.COMPRESSOBJ_FLUSH_FINISH)
