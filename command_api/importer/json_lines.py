"""Reads one line of JSON strictly; error texts are for the user and not Python's own."""

import json
import math
from typing import Any, NoReturn

from shared.ops.http.json_text import plain_mistake

NESTING_LEVELS_MAX = 100
NUMBER_DIGITS_MAX = 100


class LineUnreadable(Exception):
    """The line is not JSON, or an object has a key twice. The text is for the user."""


def value_of_line(line: bytes) -> Any:
    """The JSON value of the line. Raises `LineUnreadable`."""
    try:
        value = json.loads(
            line.decode("utf-8"),
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_integer,
            object_pairs_hook=_without_doubled_keys,
        )
    except UnicodeDecodeError as error:
        raise LineUnreadable(f"not UTF-8 at byte {error.start + 1}") from error
    except json.JSONDecodeError as error:
        raise LineUnreadable(f"not JSON: {plain_mistake(error)} (character {error.pos + 1})") from error
    except RecursionError as error:
        raise LineUnreadable(_TOO_DEEP) from error
    _refuse_deep_nesting(value)
    return value


_TOO_DEEP = f"nested deeper than {NESTING_LEVELS_MAX} levels"


def _refuse_deep_nesting(value: Any) -> None:
    """The limit is well below Python's own, because Python cannot always write again what it can read."""
    level = [value]
    for _ in range(NESTING_LEVELS_MAX):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return
    raise LineUnreadable(_TOO_DEEP)


def _without_doubled_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise LineUnreadable(
                    f"the key {json.dumps(key, ensure_ascii=False)} stands twice in one object"
                )
            seen.add(key)
    return members


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise LineUnreadable(f"the number {_short(number)} is too large")
    return value


def _integer(number: str) -> int:
    if len(number) > NUMBER_DIGITS_MAX:
        raise LineUnreadable(f"the number {_short(number)} has {len(number)} digits")
    return int(number)


def _short(number: str) -> str:
    return number if len(number) <= 20 else f"{number[:20]}…"


def _no_constant(constant: str) -> NoReturn:
    raise LineUnreadable(f"{constant} is not JSON")
