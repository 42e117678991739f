"""Refuses query strings that are not UTF-8: with replaced characters a search would find something else."""

from urllib.parse import unquote_to_bytes

from query_api.errors import BadParameter


def refused_query(query_string: bytes) -> BadParameter | None:
    """The first parameter whose name or value is not UTF-8 after decoding; None if all are."""
    if b"%" not in query_string or _is_utf8(query_string):
        return None
    wrong = next(pair for pair in query_string.split(b"&") if not _is_utf8(pair))
    name = unquote_to_bytes(wrong.partition(b"=")[0].replace(b"+", b" "))
    return BadParameter(name.decode("utf-8", "replace"), "is not UTF-8", "not-utf-8")


def _is_utf8(quoted: bytes) -> bool:
    try:
        unquote_to_bytes(quoted).decode()
    except UnicodeDecodeError:
        return False
    return True
