"""The difference of two versions of a row or document, by field: whole rows are too long to read."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

Fields = Mapping[str, Any]
VERIFIED, REBUILT = "is {}, should be {}", "is {} live and {} rebuilt"
"""The wording of a difference: that of `verify`, and that of a rebuild's comparison."""
_VALUE_CHARACTERS_MAX = 120
_LINE_CHARACTERS_MAX = 600
_BYTES = "\\x"
_NOTHING = object()


def difference(one: Fields | None, other: Fields | None, words: str) -> str:
    """Such as `name is "a", should be "b"; document.name is "a", should be "b"`. None: there is no such row.

    Values are those of JSON; bytes as PostgreSQL writes them (`\\x7b7d`) are decoded if they are text.
    """
    if one is None or other is None:
        return words.format(*("not there" if row is None else _shown(row) for row in (one, other)))
    fields = (f"{name} {words.format(_shown(a), _shown(b))}" for name, a, b in _differing(one, other))
    return _cut("; ".join(fields), _LINE_CHARACTERS_MAX)


def _differing(one: Fields, other: Fields) -> Iterator[tuple[str, Any, Any]]:
    for name in {**one, **other}:
        a, b = one.get(name, _NOTHING), other.get(name, _NOTHING)
        if a == b:
            continue
        opened = _opened(a), _opened(b)
        inner = list(_differing(*opened)) if all(isinstance(each, dict) for each in opened) else []
        # The same fields in other bytes are a difference, too.
        yield from [(f"{name}.{field}", *pair) for field, *pair in inner] or [(name, *opened)]


def _opened(value: Any) -> Any:
    if not (isinstance(value, str) and value.startswith(_BYTES)):
        return value
    try:
        text = bytes.fromhex(value.removeprefix(_BYTES)).decode()
    except ValueError:
        return value
    try:
        return json.loads(text)
    except ValueError:
        return text


def _shown(value: Any) -> str:
    if value is None or value is _NOTHING:
        return "nothing"
    return _cut(json.dumps(value, ensure_ascii=False), _VALUE_CHARACTERS_MAX)


def _cut(text: str, characters_max: int) -> str:
    return text if len(text) <= characters_max else f"{text[:characters_max]}..."
