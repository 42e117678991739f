"""Reading a request body: bounded, JSON, and every mistake told apart.

413 larger than its limit      400 not JSON at all      422 JSON that is not what was asked for
"""

import json
import re
from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from starlette.requests import Request

from command_api.http.problems import HttpProblem
from shared.ops.http.problem import Problem

BODY_BYTES_MAX = 1024 * 1024
M = TypeVar("M", bound=BaseModel)
_ERRORS_SHOWN_MAX = 100
# The only ways in which NUL or half of a surrogate pair can come into a JSON string.
_suspicious = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


async def read_body(request: Request, bytes_max: int = BODY_BYTES_MAX) -> bytes:
    """The whole body. Raises 413 as soon as it is known to be too large."""
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
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def require_media_type(request: Request, *allowed: str) -> str:
    """The media type without its parameters. Raises 415 when it is absent or another one."""
    media_type = request.headers.get("content-type", "").split(";", 1)[0].strip().lower()
    if media_type not in allowed:
        detail = f"send {' or '.join(allowed)}"
        raise HttpProblem(Problem(415, "unsupported-media-type", "Unsupported media type", detail))
    return media_type


def parse(model: type[M] | TypeAdapter[M], body: bytes) -> M:
    """The body as the model. Raises 400 or 422."""
    if _suspicious.search(body):
        _refuse_unstorable_text(body)
    try:
        if isinstance(model, TypeAdapter):
            return model.validate_json(body)
        return model.model_validate_json(body)
    except ValidationError as error:
        raise _validation_problem(error, body, is_union=isinstance(model, TypeAdapter)) from error


def _validation_problem(error: ValidationError, body: bytes, *, is_union: bool) -> HttpProblem:
    """422 with a JSON pointer per field, or 400 where the body is not JSON."""
    details = error.errors(include_url=False, include_context=False, include_input=False)
    load_json(body)  # pydantic takes NaN for a number; this reader raises the 400
    if details[0]["type"] == "json_invalid":
        return HttpProblem(Problem(400, "malformed-json", "The body is not JSON", details[0]["msg"]))
    errors = tuple(
        (_pointer(each, is_union=is_union), each["type"].replace("_", "-"), each["msg"]) for each in details
    )
    problem = Problem(422, "validation-failed", "The body is not valid", errors=errors[:_ERRORS_SHOWN_MAX])
    return HttpProblem(problem)


def load_json(body: bytes) -> Any:
    """Any JSON value. Raises 400; NaN and Infinity are not JSON."""
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise HttpProblem(Problem(400, "malformed-json", "The body is not JSON", str(error))) from error


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _refuse_unstorable_text(body: bytes) -> None:
    try:
        pointers = list(_unstorable(load_json(body), ""))
    except RecursionError as error:
        raise HttpProblem(Problem(400, "malformed-json", "The body is nested too deeply")) from error
    errors = tuple(
        (pointer, "text-invalid", "text must not hold NUL or half of a surrogate pair")
        for pointer in pointers
    )
    if errors:
        raise HttpProblem(
            Problem(422, "validation-failed", "The body is not valid", errors=errors[:_ERRORS_SHOWN_MAX])
        )


def _unstorable(value: Any, pointer: str) -> Iterator[str]:
    """Pointers of the strings that neither PostgreSQL's text nor UTF-8 can hold."""
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            yield pointer
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from _unstorable(each, f"{pointer}/{place}")
    elif isinstance(value, dict):
        for key, each in value.items():
            escaped = key.replace("~", "~0").replace("/", "~1")
            shown = escaped.replace("\0", "").encode("utf-8", "replace").decode()
            yield from _unstorable(key, f"{pointer}/{shown}")
            yield from _unstorable(each, f"{pointer}/{shown}")


def _pointer(detail: ErrorDetails, *, is_union: bool) -> str:
    """RFC 6901, from pydantic's location, which also names a union's branch and says when a key is wrong."""
    parts = detail["loc"][1:] if is_union else detail["loc"]
    if parts and parts[-1] == "[key]" and detail["type"] != "extra_forbidden":
        parts = parts[:-1]
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def _too_large(bytes_max: int) -> HttpProblem:
    return HttpProblem(Problem(413, "body-too-large", "The body is too large", f"at most {bytes_max} bytes"))
