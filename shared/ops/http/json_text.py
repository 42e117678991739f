"""Reads JSON as it was sent: explains errors in plain words, and finds repeated keys.

RFC 8259 does not define the meaning of a repeated key, and our parsers silently take the last one: a client
that sends two prices would never know which one counts. No fast parser reports it, so keys are counted.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

BOM = b"\xef\xbb\xbf"
NESTED_TOO_DEEPLY = "it is nested too deeply"
_INTEGER_DIGITS_MAX = 4000
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_key_after_blank = re.compile(rb"[ \t\r\n]:")


class NotJson(ValueError):
    """The text says what is wrong and where, without terms of Python."""


class _Members(list[tuple[str, Any]]):
    """An object as its members, in order, repeated keys included."""


def load(body: bytes) -> Any:
    """Any JSON value. Raises `NotJson`; NaN and Infinity are not JSON."""
    return _load(body, dict)


def repeated_keys(body: bytes) -> list[str]:
    """JSON pointers of repeated keys. Raises `NotJson`."""
    if _has_no_repeated_key(body):
        return []
    return list(_repeated(_load(body, _Members), ""))


def elements(body: bytes) -> list[bytes] | None:
    """The text of each element of an array, as it was sent; None if it is not an array. Raises `NotJson`."""
    load(body)
    text = body.decode().strip(" \t\r\n")
    if not text.startswith("["):
        return None
    decoder, found, place = json.JSONDecoder(), [], 1
    while text[(place := _after_blanks(text, place))] != "]":
        place = _after_blanks(text, place + 1) if text[place] == "," else place
        _, end = decoder.raw_decode(text, place)
        found.append(text[place:end].encode())
        place = end
    return found


def pointer(*parts: str | int) -> str:
    """RFC 6901."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def shown(key: str) -> str:
    """A key in a form that an answer can contain: without NUL and half surrogates."""
    return key.replace("\0", "").encode("utf-8", "replace").decode()


def _has_no_repeated_key(body: bytes) -> bool:
    """Whether it is certain that no key is repeated, by the counts of `":` in the text before and after
    parsing.

    Each key is followed by a quote and a colon, perhaps with blanks between. A string has as many before and
    after, unless `\\u0022` or `\\u003a` was sent for one of the two. So equal counts mean that parsing
    dropped no key.
    """
    if b"\\u00" in body:
        return False
    try:
        parsed = _encode(_decode(body))
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return False
    if body.count(b'":') != parsed.count(b'":') or b" :" in body:
        return False
    has_lines = b"\n" in body or b"\r" in body or b"\t" in body
    return not has_lines or _key_after_blank.search(body) is None


def _repeated(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, _Members):
        seen = set()
        for key, each in value:
            inside = place + pointer(shown(key))
            if key in seen:
                yield inside
            seen.add(key)
            yield from _repeated(each, inside)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _repeated(each, f"{place}/{index}")


def _load(body: bytes, members: type) -> Any:
    hook = None if members is dict else members
    try:
        text = body.decode()
        if not text.strip(" \t\r\n"):
            raise NotJson("it is empty")
        return json.loads(text, object_pairs_hook=hook, parse_constant=_refuse, parse_int=_integer)
    except UnicodeDecodeError as error:
        raise NotJson(f"it is not UTF-8 from byte {error.start} on") from error
    except json.JSONDecodeError as error:
        where = f"at line {error.lineno}, column {error.colno}"
        raise NotJson(f"{plain_mistake(error)} {where}") from error
    except RecursionError as error:
        raise NotJson(NESTED_TOO_DEEPLY) from error


def plain_mistake(error: json.JSONDecodeError) -> str:
    """The error of Python's reader in plain words, without its place."""
    return next((text for start, text in _MESSAGES.items() if error.msg.startswith(start)), "a mistake")


_MESSAGES = {
    "Expecting value": "a value is missing",
    "Expecting property name": "a key in double quotes is missing",
    "Expecting ':'": "a colon is missing",
    "Expecting ','": "a comma is missing",
    "Illegal trailing comma": "there is a comma after the last one",
    "Extra data": "there is more after the end",
    "Unterminated string": "a string does not end that starts",
    "Invalid control character": "a control character stands in a string",
    "Invalid \\escape": "an escape is not valid",
    "Invalid \\uXXXX": "an escape is not valid",
    "Unexpected UTF-8 BOM": "a byte order mark is not at the start",
}


def _refuse(name: str) -> None:
    raise NotJson(f"{name} is not JSON")


def _integer(digits: str) -> int:
    if len(digits) > _INTEGER_DIGITS_MAX:
        raise NotJson(f"a number has more than {_INTEGER_DIGITS_MAX} digits")
    return int(digits)


def _after_blanks(text: str, place: int) -> int:
    while text[place] in " \t\r\n":
        place += 1
    return place
