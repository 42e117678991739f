"""The table from errors to HTTP for webhooks, in both APIs. Each may add rows of its own."""

from collections.abc import Sequence

from fastapi import FastAPI, Request
from starlette.responses import Response

from shared.ops.http.json_text import pointer
from shared.ops.http.problem import Problem
from shared.ops.http.problem_answer import problem_response
from shared.webhooks import errors

Row = tuple[type[Exception], int, str, str]
"""The error, its status, code and title."""
_TABLE: Sequence[Row] = (
    (errors.WebhooksOff, 404, "webhooks-off", "There are no webhooks here"),
    (errors.EndpointNotFound, 404, "webhook-endpoint-not-found", "Webhook endpoint not found"),
    (errors.DeliveryNotFound, 404, "webhook-delivery-not-found", "Delivery not found"),
    (errors.BadParameter, 400, "invalid-parameter", "A parameter is not acceptable"),
    (errors.WebhookReadUnavailable, 503, "read-model-unavailable", "The read model is unavailable"),
)


def answer_webhook_errors(app: FastAPI, more: Sequence[Row] = ()) -> None:
    """Answer the errors of this table and of `more` with problem documents."""
    for row in (*_TABLE, *more):
        _add(app, row)


def _add(app: FastAPI, row: Row) -> None:
    kind, status, code, title = row

    async def answer(request: Request, error: Exception) -> Response:
        detail = None if status == 503 else str(error)
        version = getattr(error, "current_version", None)
        more = {} if version is None else {"current_version": version}
        headers = {"etag": f'"{version}"'} if version and status == 412 else {}
        fields: tuple[tuple[str, str, str], ...] = ()
        if isinstance(error, errors.BadParameter):
            fields = ((pointer(error.parameter), error.code, error.reason),)
        elif isinstance(error, errors.WebhookRefused) and error.field:
            fields = ((error.field, code, str(error)),)
        problem = Problem(status, code, title, detail, errors=fields, extensions=more)
        return problem_response(request, problem, headers)

    app.add_exception_handler(kind, answer)
