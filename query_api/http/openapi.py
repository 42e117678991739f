"""Completes the OpenAPI document: headers and problems, without answers that never happen."""

from typing import Any

from fastapi import FastAPI

from query_api.http.problem_schema import ProblemModel
from shared.access.http.framework import secure_document
from shared.ops.http.limits import HEAD_BYTES_MAX, TARGET_BYTES_MAX
from shared.ops.http.problem import CONTENT_TYPE
from shared.rate_limits.openapi import RATE_LIMIT_HEADERS

Responses = dict[int | str, dict[str, Any]]


def _header(description: str, kind: str = "string", *, required: bool = True) -> dict[str, Any]:
    return {"description": description, "required": required, "schema": {"type": kind}}


_REQUEST_ID = {"X-Request-Id": _header("The request's id: the caller's own, or a new one.")}
_CACHE_STATUS = {"Cache-Status": _header("hit, fwd=miss or fwd=bypass (RFC 9211).")}
_CACHE_CONTROL = {"Cache-Control": _header("How long the answer may be kept.")}
_RETRY_AFTER = {"Retry-After": _header("Seconds.", "integer")}
_APPLIED = {"Preference-Applied": _header("The wait that was applied.", required=False)}
_ETAG = {"ETag": _header('The version in quotes, such as "3".')}
_LINK = {"Link": _header('The next page: <…>; rel="next".', required=False)}
_AGE = {"Age": _header("Seconds since the page was made.", "integer")}
_VARY = {"Vary": _header("A read with a Consistency-Token is another answer.")}

_PROBLEM = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def _problem(description: str, more: dict[str, Any] | None = None) -> dict[str, Any]:
    headers = {**_REQUEST_ID, **_CACHE_CONTROL, **(more or {})}
    return {"description": description, "headers": headers, "content": _PROBLEM}


def _unframed(description: str) -> dict[str, Any]:
    """An answer given before the whole request was read, so that it has no request id."""
    return {"description": description, "content": _PROBLEM}


_REFUSALS: Responses = {
    400: _problem("A parameter or header is not acceptable; `errors` names it. Or it is not valid HTTP."),
    408: _unframed("The request did not arrive in time; the connection closes."),
    412: _problem("If-Match does not match."),
    414: _unframed(f"The address with its query string exceeds {TARGET_BYTES_MAX} bytes."),
    429: _problem(
        "The caller, or its address, sends too many requests.", {**_RETRY_AFTER, **RATE_LIMIT_HEADERS}
    ),
    431: _unframed(f"The request line and headers exceed {HEAD_BYTES_MAX} bytes."),
    503: _problem("The read model or event log is behind, unavailable or overloaded.", _RETRY_AFTER),
}
_KEPT = {**_REQUEST_ID, **_CACHE_CONTROL, **_CACHE_STATUS, **_APPLIED}

PRODUCT: Responses = {
    200: {"description": "The product.", "headers": {**_ETAG, **_KEPT}},
    304: {"description": "If-None-Match names the present version.", "headers": {**_ETAG, **_KEPT}},
    404: _problem("There is no such product, or no longer."),
    **_REFUSALS,
}
LIST: Responses = {
    200: {"description": "A page.", "headers": {**_KEPT, **_LINK, **_AGE, **_VARY}},
    **_REFUSALS,
}
REPORT: Responses = {
    200: {
        "description": "A page.",
        "headers": {**_REQUEST_ID, **_CACHE_CONTROL, **_APPLIED, **_LINK},
    },
    **_REFUSALS,
}
EXPORT: Responses = {
    200: {
        "description": "The catalogue. Without its last chunk it is not whole.",
        "headers": {
            **_REQUEST_ID,
            **_CACHE_CONTROL,
            **_APPLIED,
            "Content-Disposition": _header("A file name."),
            "Content-Encoding": _header("zstd or gzip, where Accept-Encoding wants it.", required=False),
            "Log-Position": _header("The feed goes on after this position.", "integer"),
            "Product-Count": _header("How many products follow.", "integer"),
            "Vary": _header("Accept-Encoding chooses the coding."),
        },
        "content": {kind: {"schema": {"type": "string"}} for kind in ("application/x-ndjson", "text/csv")},
    },
    406: _problem("Accept-Encoding refuses every coding."),
    **_REFUSALS,
}
PAST: Responses = {
    200: {
        "description": "The answer.",
        "headers": {**_REQUEST_ID, **_CACHE_CONTROL, **_APPLIED},
    },
    404: _problem("There is no such product, version or price for this caller."),
    **_REFUSALS,
}
PAST_PAGE: Responses = {**REPORT, 404: _problem("There is no such product, or no longer.")}
EVENTS: Responses = {
    200: {"description": "A page.", "headers": {**_REQUEST_ID, **_CACHE_CONTROL}},
    409: _problem("The place is not in this log: `position-not-reached`, `another-log`, `events-archived`."),
    **_REFUSALS,
}
EVENT_STREAM: Responses = {
    200: {
        "description": "Server-sent events, until either side ends them.",
        "headers": {
            **_REQUEST_ID,
            **_CACHE_CONTROL,
            "X-Accel-Buffering": _header("no: a proxy must pass each event on at once."),
        },
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
    409: EVENTS[409],
    **_REFUSALS,
}
STREAM_TICKET: Responses = {
    200: {"description": "The ticket.", "headers": {**_REQUEST_ID, **_CACHE_CONTROL}},
    **_REFUSALS,
}
STATUS: Responses = {
    200: {"description": "The projections.", "headers": {**_REQUEST_ID, **_CACHE_CONTROL}},
    **_REFUSALS,
}
LOOKING: Responses = {
    200: {"description": "A page.", "headers": {**_REQUEST_ID, **_CACHE_CONTROL, **_LINK}},
    **_REFUSALS,
}
LOOKING_AT_ONE: Responses = {
    200: {"description": "The answer.", "headers": {**_REQUEST_ID, **_CACHE_CONTROL}},
    404: _problem("There is nothing with this id."),
    **_REFUSALS,
}


def _parameter(name: str, description: str) -> dict[str, Any]:
    """A header that the handlers read from the request themselves, because FastAPI would parse it every
    time.
    """
    schema = {"anyOf": [{"type": "string"}, {"type": "null"}], "description": description, "title": name}
    return {
        "name": name.lower(),
        "in": "header",
        "required": False,
        "schema": schema,
        "description": description,
    }


IDENTITY = (
    _parameter("X-Request-Id", "Comes back in the answer and in logs."),
    _parameter("Traceparent", "W3C trace context."),
)
FOLLOWING = (
    _parameter("Last-Event-ID", "The `id` of the last event: the stream goes on after it."),
    *IDENTITY,
)
READING = (
    _parameter("Consistency-Token", "From the answer to a write that must be visible."),
    _parameter("Prefer", "wait=N: how many seconds to wait for that write."),
    *IDENTITY,
)
READING_ONE = (
    _parameter("If-Match", "Only if the product is at one of these ETags, or *."),
    _parameter("If-None-Match", 'ETags that the caller has, such as "3", or *.'),
    *READING,
)


def install(app: FastAPI, *, is_guarded: bool) -> None:
    """Make `app.openapi` leave out FastAPI's 422, which never happens here, and bodies of HEAD and 304."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = _corrected(generate())
            secure_document(document, is_guarded=is_guarded)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _corrected(document: dict[str, Any]) -> dict[str, Any]:
    for path in document["paths"].values():
        for method, operation in path.items():
            responses = operation["responses"]
            responses.pop("422", None)
            for status, response in responses.items():
                if method == "head" or status == "304":
                    response.pop("content", None)
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    problem = ProblemModel.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"))
    schemas["Problem"] = problem
    return document
