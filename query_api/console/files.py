"""The files of the console, read and compressed once at the start: they are the same for everybody."""

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

import zstandard

PAGE = "index.html"
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_GZIP_LEVEL, _ZSTD_LEVEL = 9, 19


class StaticFile(NamedTuple):
    """A file in each coding, by its name in Accept-Encoding; `digest` names its content."""

    media_type: str
    digest: str
    codings: Mapping[str, bytes]


def static_files() -> dict[str, StaticFile]:
    """By path, such as `pages/search.js`. Licences and lists beside the libraries are not served."""
    folder = files("query_api.console") / "static"
    return {path: _made(path, found.read_bytes()) for path, found in _walk(folder, "") if _type(path)}


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}", entry


def _type(path: str) -> str | None:
    return _MEDIA_TYPES.get(f".{path.rpartition('.')[2]}")


def _made(path: str, content: bytes) -> StaticFile:
    media_type = _type(path)
    assert media_type is not None
    codings = {
        "identity": content,
        "gzip": gzip.compress(content, _GZIP_LEVEL, mtime=0),
        "zstd": zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(content),
    }
    return StaticFile(media_type, hashlib.sha256(content).hexdigest()[:20], codings)
