"""The parameters of `GET /v1/products` that only a search understands: the text, attributes, and facets."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from query_api.errors import BadParameter
from query_api.http.parameters import CATEGORY_CHARACTERS_MAX
from query_api.search.query import AttributeFilter, TextQuery
from query_api.search.synonyms import Synonyms
from query_api.search.text_query import TooManyWords, parse_text
from shared.contract.text import normal_text

ATTRIBUTE = "attr."
ATTRIBUTES_MAX = 20
FACETS_MAX = 20
_PLAIN_FACETS = frozenset({"brand", "category", "tag", "status", "price"})
_LEAST, _MOST = ".min", ".max"
_number = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?", re.ASCII)
_VALUE_CHARACTERS_MAX = 255


def text_of(q: str | None, synonyms: Synonyms) -> TextQuery | None:
    """The query of `q`. Raises `BadParameter`."""
    if q is None:
        return None
    try:
        text = parse_text(q, synonyms)
    except TooManyWords as error:
        raise BadParameter("q", str(error)) from error
    if text is None:
        raise BadParameter("q", "has no word to look for")
    return text


def facets_of(given: str | None, currency: str | None) -> tuple[str, ...]:
    """The names in `facets`, each once. Raises `BadParameter`."""
    if given is None:
        return ()
    names = tuple(dict.fromkeys(map(normal_text, given.split(","))))
    if len(names) > FACETS_MAX:
        raise BadParameter("facets", f"has more than {FACETS_MAX} names")
    for name in names:
        is_attribute = name.startswith(ATTRIBUTE) and len(name) > len(ATTRIBUTE)
        if name not in _PLAIN_FACETS and not is_attribute:
            raise BadParameter(
                "facets", f"{name!r} is not one of {', '.join(sorted(_PLAIN_FACETS))}, attr.<name>"
            )
    if "price" in names and currency is None:
        raise BadParameter("currency", "is needed by facets=price", "required")
    return names


def attributes_of(more: Mapping[str, Any]) -> tuple[AttributeFilter, ...]:
    """The filters `attr.<name>`, and with `.min` or `.max`. Raises `BadParameter`, also for every other
    parameter that is not declared.
    """
    values: dict[str, str] = {}
    ranges: dict[str, dict[str, float]] = {}
    for parameter, value in more.items():
        name = _checked(parameter, value)
        if name.endswith((_LEAST, _MOST)) and len(name) > len(_LEAST):
            ranges.setdefault(name[: -len(_LEAST)], {})[name[-len(_LEAST) :]] = _as_number(parameter, value)
        else:
            values[name] = normal_text(value)
    filters = sorted([*_with_values(values), *_with_ranges(ranges)], key=_key)
    if len(filters) > ATTRIBUTES_MAX:
        raise BadParameter(f"{ATTRIBUTE}{filters[-1].name}", f"is one of more than {ATTRIBUTES_MAX} filters")
    return tuple(filters)


def _checked(parameter: str, value: Any) -> str:
    name = normal_text(parameter.removeprefix(ATTRIBUTE))
    if not parameter.startswith(ATTRIBUTE) or not name:
        raise BadParameter(parameter, "is not a parameter of this address", "unknown")
    if not isinstance(value, str):
        raise BadParameter(parameter, "is given more than once", "repeated")
    if not 1 <= len(value) <= _VALUE_CHARACTERS_MAX or len(name) > CATEGORY_CHARACTERS_MAX:
        raise BadParameter(parameter, f"has 1 to {_VALUE_CHARACTERS_MAX} characters")
    return name


def _as_number(parameter: str, value: str) -> float:
    number = float(value) if _number.fullmatch(value) else math.inf
    if not math.isfinite(number):
        raise BadParameter(parameter, "is not a number such as 12 or -0.5")
    return number


def _with_values(values: Mapping[str, str]) -> Iterator[AttributeFilter]:
    for name, value in values.items():
        yield AttributeFilter(name, value=value)


def _with_ranges(ranges: Mapping[str, Mapping[str, float]]) -> Iterator[AttributeFilter]:
    for name, ends in ranges.items():
        yield AttributeFilter(name, lowest=ends.get(_LEAST), highest=ends.get(_MOST))


def _key(each: AttributeFilter) -> tuple[str, bool]:
    return each.name, each.value is None
