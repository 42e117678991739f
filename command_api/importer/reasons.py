"""Translates the API's refusal of a product into the terms of the file: line, cell, value.

A pointer of the API such as /product/variants/1/sku becomes `line 3: Variant SKU 'a\\tb'`.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from command_api.importer.answers import (
    REASON_CHARACTERS_MAX,
    Conflict,
    ItemAnswer,
    error_text,
    problem_errors,
    problem_name,
)
from command_api.importer.source import Candidate, Lines, lines_text
from shared.contract.text import normal_slug, normal_text

VALUE_CHARACTERS_MAX = 80
_PATTERNS = {
    "url": "is no http or https address",
    "category": "is no category path",
    "amount": "is no decimal amount such as 50.00",
    "currency": "is no currency code",
    "name": "is blank",
}
_WORDS = {
    "extra-forbidden": "is no field of a product",
    "missing": "is required, and the file does not state it",
}
# The API's validator speaks of its own types (`String should have at most …`): the user does not know them.
_validator = re.compile(
    r"^Value error, |^(?:String|List|Dictionary|Input|Value) (?=should )| after validation"
)
_NOTHING = object()


def explained(answer: ItemAnswer, candidate: Candidate, line_of: Callable[[str], int | None]) -> str:
    """The refusal as one line; `line_of` gives the line of another product of the file by its slug."""
    problem = answer.problem
    if not problem:
        return f"{candidate.lines}: status {answer.http_status}"
    if answer.conflicts:
        texts = [_conflict(each, candidate, line_of) for each in answer.conflicts]
    elif errors := problem_errors(problem):
        texts = [_error(each, candidate) for each in errors]
    else:
        texts = [f"{candidate.lines}: {problem.get('detail') or problem.get('title') or 'refused'}"]
    return f"{problem_name(problem)}: {'; '.join(texts)}"[:REASON_CHARACTERS_MAX]


def _conflict(conflict: Conflict, candidate: Candidate, line_of: Callable[[str], int | None]) -> str:
    variants = candidate.product.get("variants")
    places = [
        place
        for place, variant in enumerate(variants if isinstance(variants, list) else [])
        if isinstance(variant, dict) and normal_text(str(variant.get("sku", ""))) == conflict.sku
    ]
    where = _line(["variants", str(places[0]), "sku"], candidate.lines) if places else str(candidate.lines)
    if conflict.slug is None:
        return (
            f"{where}: SKU {conflict.sku!r} belonged to another product, which has just gone: load it again"
        )
    holder = f"SKU {conflict.sku!r} belongs to the product {conflict.slug!r}"
    line = line_of(normal_slug(conflict.slug))
    return f"{where}: {holder}" + (f" (line {line} of this file)" if line else " (not in this file)")


def _error(error: Mapping[str, Any], candidate: Candidate) -> str:
    parts = _parts(str(error.get("pointer", "")))
    value = _value(candidate.product, parts)
    shown = "" if value is _NOTHING or isinstance(value, dict | list) else f" {_shown(value)}"
    said = _words(error, parts)
    return f"{_line(parts, candidate.lines)}: {_label(parts, candidate.lines)}{shown}: {said}"


def _words(error: Mapping[str, Any], parts: list[str]) -> str:
    code, last = str(error.get("code", "")), parts[-1] if parts else ""
    if code == "missing" and parts == ["variants"]:
        return "a new product needs at least one, with a price"
    if code == "string-pattern-mismatch":
        return _PATTERNS.get(last, "is not of the right form")
    return _WORDS.get(code) or _validator.sub("", error_text(error)) or code or "is wrong"


def _parts(pointer: str) -> list[str]:
    """A JSON pointer's parts (RFC 6901), without the operation's own `product`."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    return parts[1:] if parts[:1] == ["product"] else parts


def _value(value: Any, parts: list[str]) -> Any:
    for part in parts:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return _NOTHING
    return value


def _line(parts: list[str], lines: Lines) -> str:
    of_list = {"variants": lines.variants, "images": lines.images}.get(parts[0] if parts else "", ())
    if len(parts) > 1 and parts[1].isdecimal() and int(parts[1]) < len(of_list):
        return f"line {of_list[int(parts[1])]}"
    if of_list:
        return lines_text(of_list)
    line = lines.fields.get(parts[0]) if parts else None
    return f"line {line}" if line else str(lines)


def _label(parts: list[str], lines: Lines) -> str:
    """The column of the CSV, or the path in the JSON."""
    if lines.labels is None:
        path = "".join(f"[{part}]" if part.isdecimal() else f".{part}" for part in parts)
        return path.removeprefix(".") or "product"
    named = [part for part in parts[:3] if not part.isdecimal()][:2]
    label = lines.labels.get("/".join(named)) or lines.labels.get(named[0] if named else "", "product")
    option = parts[3:4] if named == ["variants", "options"] else []
    return f"{label} {_shown(option[0])}" if option else label


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= VALUE_CHARACTERS_MAX else f"{text[:VALUE_CHARACTERS_MAX]}…"
