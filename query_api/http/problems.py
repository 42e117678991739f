"""The table from errors to HTTP: the only place that gives a refusal its status.

The framework's own refusals (no such address, no such method, a parameter of the wrong form) become problem
documents here too, so that clients get one shape of error.
"""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from query_api import errors
from shared.access.errors import AccessError
from shared.access.http.bearer import refusal, scope_refusal
from shared.ops.http.json_text import pointer
from shared.ops.http.plain_errors import plain_text
from shared.ops.http.problem import INTERNAL_ERROR, Problem
from shared.ops.http.problem_answer import allowed_methods, problem_response
from shared.ops.metrics.requests import HTTP_REQUESTS_SHED

_BAD_PARAMETER = (400, "invalid-parameter", "A parameter is not acceptable")

# error -> status, code, title
_TABLE: tuple[tuple[type[errors.QueryError], int, str, str], ...] = (
    (errors.ProductNotFound, 404, "product-not-found", "Product not found"),
    (errors.ImportNotFound, 404, "import-not-found", "Import not found"),
    (errors.PriceNotFound, 404, "price-not-found", "There was no such price"),
    (errors.BadParameter, *_BAD_PARAMETER),
    (errors.MalformedHeader, 400, "malformed-header", "A header is malformed"),
    (errors.NotAcceptable, 406, "not-acceptable", "No acceptable form of the answer"),
    (errors.PositionNotReached, 409, "position-not-reached", "The log does not reach this position"),
    (errors.AnotherLog, 409, "another-log", "This is another log"),
    (errors.EventsArchived, 409, "events-archived", "Events after this position are archived"),
    (errors.PreconditionFailed, 412, "version-does-not-match", "If-Match does not match"),
    (errors.ReadModelBehind, 503, "read-model-behind", "The write is not visible yet"),
    (errors.ReadModelUnavailable, 503, "read-model-unavailable", "The read model is unavailable"),
    (errors.SearchUnavailable, 503, "search-unavailable", "Search is unavailable"),
    (errors.EventLogUnavailable, 503, "event-log-unavailable", "The event log is unavailable"),
    (errors.HistoryTooLong, 503, "history-too-long", "Snapshots of this product are missing"),
    (errors.HistoryUnreadable, 503, "history-unreadable", "An event cannot be read"),
    (errors.Overloaded, 503, "overloaded", "Too much is in progress"),
)
# The driver's error text about an outage is for the log, not for the caller.
_SILENT = (errors.ReadModelUnavailable, errors.EventLogUnavailable, errors.SearchEngineFailed)


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem document."""

    async def on_query_error(request: Request, error: Exception) -> Response:
        if isinstance(error, errors.NotAllowed):
            refused = scope_refusal(error.scope)
            return problem_response(request, refused.problem, refused.headers)
        if isinstance(error, errors.Overloaded):
            HTTP_REQUESTS_SHED.labels(error.reason).inc()
        problem = problem_of(error)
        version = problem.extensions.get("current_version")
        return problem_response(request, problem, {} if version is None else {"etag": f'"{version}"'})

    async def on_access_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, AccessError)
        refused = refusal(error)
        return problem_response(request, refused.problem, refused.headers)

    async def on_validation_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return problem_response(request, _problem_of_validation(error.errors()))

    async def on_http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 405:
            allow = {"allow": allowed_methods(request)}
            return problem_response(
                request, Problem(405, "method-not-allowed", "Not with this method"), allow
            )
        if error.status_code == 404:
            return problem_response(request, Problem(404, "not-found", "There is nothing at this address"))
        return problem_response(request, Problem(error.status_code, "http-error", str(error.detail)))

    async def on_bug(request: Request, _: Exception) -> Response:
        return problem_response(request, INTERNAL_ERROR)

    app.add_exception_handler(errors.QueryError, on_query_error)
    app.add_exception_handler(AccessError, on_access_error)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(Exception, on_bug)


def problem_of(error: Exception) -> Problem:
    """The problem of an expected error; an error that is not in the table is a bug: 500."""
    for kind, status, code, title in _TABLE:
        if isinstance(error, kind):
            detail = None if type(error) in _SILENT else str(error)
            version = getattr(error, "current_version", None)
            more = {} if version is None else {"current_version": version}
            return Problem(status, code, title, detail, errors=_fields(error), extensions=more)
    return INTERNAL_ERROR


def _fields(error: Exception) -> tuple[tuple[str, str, str], ...]:
    if isinstance(error, errors.BadParameter):
        return ((pointer(error.parameter), error.code, error.reason),)
    return ()


def _problem_of_validation(found: Sequence[Any]) -> Problem:
    """pydantic's errors; a location is ("query", "limit") or ("query", "tag", 0)."""
    fields = tuple((pointer(*wrong["loc"][1:]), _code(wrong["type"]), plain_text(wrong)) for wrong in found)
    status, code, title = _BAD_PARAMETER
    detail = "; ".join(f"{place[1:]}: {reason}" for place, _, reason in fields)
    return Problem(status, code, title, detail, errors=fields)


def _code(pydantic_type: str) -> str:
    return "unknown" if pydantic_type == "extra_forbidden" else pydantic_type.replace("_", "-")
