"""Decides which bodies are read: only UTF-8, neither compressed nor in another charset."""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.ops.http.problem import Problem

_TITLE = "Unsupported media type"


@dataclass(frozen=True, slots=True)
class RefusedContent:
    """415, with the headers that name the accepted form."""

    problem: Problem
    headers: tuple[tuple[bytes, bytes], ...] = ()


_ENCODED = RefusedContent(
    Problem(415, "unsupported-content-encoding", _TITLE, "send the body as it is, without Content-Encoding"),
    ((b"accept-encoding", b"identity"),),  # RFC 9110, 15.5.16
)
_OF_A_CHARSET = RefusedContent(Problem(415, "unsupported-media-type", _TITLE, "send UTF-8"))


def refused_content(headers: Iterable[tuple[bytes, bytes]]) -> RefusedContent | None:
    """The reason why a body with these headers is not read, or None. Header names are in lower case."""
    for name, value in headers:
        if name == b"content-encoding" and any(
            coding.strip(b" \t").lower() not in (b"", b"identity") for coding in value.split(b",")
        ):
            return _ENCODED
        if name == b"content-type" and b";" in value and not _is_utf8(value):
            return _OF_A_CHARSET
    return None


def _is_utf8(content_type: bytes) -> bool:
    """The charset, if one is named; other parameters are ignored."""
    for parameter in content_type.lower().split(b";")[1:]:
        name, _, value = parameter.partition(b"=")
        if name.strip(b" \t") == b"charset" and value.strip(b' \t"') != b"utf-8":
            return False
    return True
