"""Reads a request body: bounded, JSON, with a distinct answer to each mistake.

413 larger than its limit      415 wrong media type or encoding      400 not JSON
422 JSON of the wrong form, or with a key twice
"""

import re
from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from starlette.requests import Request

from command_api.http.given import Given
from command_api.http.problems import HttpProblem
from shared.ops.http import json_text
from shared.ops.http.content import refused_content
from shared.ops.http.plain_errors import plain_text
from shared.ops.http.problem import Problem

BODY_BYTES_MAX = 1024 * 1024
M = TypeVar("M", bound=BaseModel)
_ERRORS_SHOWN_MAX = 100
# Our reader accepts things that pydantic's does not: more nesting, half of a surrogate pair.
_INVALID_FOR_PYDANTIC_ALONE = f"{json_text.NESTED_TOO_DEEPLY}, or an escape in it is not valid"
# NUL or half of a surrogate pair can be in a JSON string only in these forms.
_suspicious = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


async def read_body(request: Request, bytes_max: int = BODY_BYTES_MAX) -> bytes:
    """The whole body, without a byte order mark. Raises 413 as soon as it is known to be too large."""
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > bytes_max:
        raise _too_large(bytes_max)
    chunks: list[bytes] = []
    size_bytes = 0
    async for chunk in request.stream():
        size_bytes += len(chunk)
        if size_bytes > bytes_max:
            raise _too_large(bytes_max)
        chunks.append(chunk)
    return (chunks[0] if len(chunks) == 1 else b"".join(chunks)).removeprefix(json_text.BOM)


def require_media_type(given: Given, *allowed: str) -> str:
    """The media type without its parameters. Raises 415 when it is absent, twice there or another one, and
    for a charset or an encoding that is not read.
    """
    refused = refused_content(given.pairs)
    if refused is not None:
        raise HttpProblem(refused.problem, {name.decode(): value.decode() for name, value in refused.headers})
    values = given.values(b"content-type")
    media_type = values[0].split(";", 1)[0].strip().lower() if len(values) == 1 else ""
    if media_type not in allowed:
        detail = f"send {' or '.join(allowed)}"
        problem = Problem(415, "unsupported-media-type", "Unsupported media type", detail)
        raise HttpProblem(problem, {"accept": ", ".join(allowed)})
    return media_type


def parse(model: type[M] | TypeAdapter[M], body: bytes) -> M:
    """The body as the model. Raises 400 or 422."""
    if _suspicious.search(body):
        _refuse_unstorable_text(body)
    try:
        if isinstance(model, TypeAdapter):
            value = model.validate_json(body)
        else:
            value = model.model_validate_json(body)
    except ValidationError as error:
        raise _validation_problem(error, body, is_union=isinstance(model, TypeAdapter)) from error
    _refuse_repeated_keys(body)
    return value


def _validation_problem(error: ValidationError, body: bytes, *, is_union: bool) -> HttpProblem:
    """422 with a JSON pointer per field, or 400 if the body is not JSON."""
    details = error.errors(include_url=False, include_context=False, include_input=False)
    load_json(body)  # pydantic accepts NaN as a number; this reader raises the 400
    if details[0]["type"] == "json_invalid":
        return _not_json(_INVALID_FOR_PYDANTIC_ALONE)
    errors = tuple(
        (_pointer(each, is_union=is_union), each["type"].replace("_", "-"), plain_text(each))
        for each in error.errors(include_url=False, include_input=False)
    )
    return _not_valid(errors)


def load_json(body: bytes) -> Any:
    """Any JSON value. Raises 400; NaN and Infinity are not JSON."""
    try:
        return json_text.load(body)
    except json_text.NotJson as error:
        raise _not_json(str(error)) from error


def _refuse_unstorable_text(body: bytes) -> None:
    try:
        pointers = list(_unstorable(load_json(body), ""))
    except RecursionError as error:
        raise _not_json(json_text.NESTED_TOO_DEEPLY) from error
    if pointers:
        text = "text must not hold NUL or half of a surrogate pair"
        raise _not_valid(tuple((pointer, "text-invalid", text) for pointer in pointers))


def _refuse_repeated_keys(body: bytes) -> None:
    try:
        pointers = json_text.repeated_keys(body)
    except json_text.NotJson as error:
        raise _not_json(str(error)) from error
    if pointers:
        text = "this key stands twice in its object"
        raise _not_valid(tuple((pointer, "repeated-key", text) for pointer in pointers))


def _not_json(detail: str) -> HttpProblem:
    return HttpProblem(Problem(400, "malformed-json", "The body is not JSON", detail))


def _not_valid(errors: tuple[tuple[str, str, str], ...]) -> HttpProblem:
    return HttpProblem(
        Problem(422, "validation-failed", "The body is not valid", errors=errors[:_ERRORS_SHOWN_MAX])
    )


def _unstorable(value: Any, pointer: str) -> Iterator[str]:
    """Pointers of the strings that PostgreSQL's text or UTF-8 cannot store."""
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            yield pointer
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from _unstorable(each, f"{pointer}/{place}")
    elif isinstance(value, dict):
        for key, each in value.items():
            inside = pointer + json_text.pointer(json_text.shown(key))
            yield from _unstorable(key, inside)
            yield from _unstorable(each, inside)


def _pointer(detail: ErrorDetails, *, is_union: bool) -> str:
    """A pointer (RFC 6901) from pydantic's location, which also contains a union's branch and marks wrong
    keys.
    """
    parts = detail["loc"][1:] if is_union else detail["loc"]
    if parts and parts[-1] == "[key]" and detail["type"] != "extra_forbidden":
        parts = parts[:-1]
    return json_text.pointer(*parts)


def _too_large(bytes_max: int) -> HttpProblem:
    return HttpProblem(Problem(413, "body-too-large", "The body is too large", f"at most {bytes_max} bytes"))
