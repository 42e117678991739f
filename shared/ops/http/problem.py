"""Problem documents (RFC 9457): every error of every port has the same shape, and a code for programs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 1
"""In every answer with status 503."""
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Problem:
    """One refused or failed request.

    `code` is stable and in kebab case; `title` is the same for every occurrence of the code; `detail` is
    about this one. `errors` are (JSON pointer, code, detail) per wrong field. `extensions` become further
    members and may not replace a standard one.
    """

    status: int
    code: str
    title: str
    detail: str | None = None
    errors: tuple[tuple[str, str, str], ...] = ()
    extensions: Mapping[str, Any] = field(default_factory=dict)


INTERNAL_ERROR = Problem(500, "internal-error", "Something is broken on our side")


def problem_body(
    problem: Problem, *, trace_id: str | None, request_id: str | None, instance: str | None
) -> bytes:
    """The `application/problem+json` body. Members that have no value are left out, as RFC 9457 advises.

    `instance` is the request's path; with `trace_id` and `request_id` operators find the request in the logs.
    """
    document: dict[str, Any] = {
        "type": f"/problems/{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": instance,
        "code": problem.code,
        "errors": [
            {"pointer": pointer, "code": code, "detail": detail} for pointer, code, detail in problem.errors
        ]
        or None,
        "trace_id": trace_id,
        "request_id": request_id,
    }
    members = {name: value for name, value in document.items() if value is not None}
    return _encode({**problem.extensions, **members})
