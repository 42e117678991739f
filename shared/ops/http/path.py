"""Decodes segments of a path after the path was split, because a SKU may contain `/`."""

from urllib.parse import unquote_to_bytes


def segment_bytes(segment: str) -> bytes:
    """The segment's bytes. The path is latin-1 text: some clients do not percent-encode every byte."""
    return unquote_to_bytes(segment.encode("latin-1"))


def segment_text(segment: str) -> str:
    """The segment as text. Raises UnicodeDecodeError if it is not UTF-8."""
    return segment_bytes(segment).decode()
