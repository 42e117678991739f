"""Answers with problem documents to requests with a context, inside and outside of a framework."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from shared.ops.http.asgi import Headers, Scope, Send, respond
from shared.ops.http.problem import CONTENT_TYPE, RETRY_AFTER_SECONDS, Problem, problem_body
from shared.ops.http.request_context import context_of


def problem_document(scope: Scope, problem: Problem, *, instance: str | None) -> bytes:
    """The document, with the ids of the request."""
    context = context_of(scope)
    return problem_body(
        problem, trace_id=context.trace.trace_id, request_id=context.request_id, instance=instance
    )


def problem_response(
    request: Request, problem: Problem, headers: Mapping[str, str] | None = None
) -> Response:
    """The whole answer; a HEAD has the same headers, the length included, and no body."""
    body = problem_document(request.scope, problem, instance=request.scope["path"])
    all_headers = {**standard_headers(problem), **(headers or {})}
    if request.method == "HEAD":
        all_headers["content-length"] = str(len(body))
        body = b""
    return Response(body, problem.status, all_headers, media_type=CONTENT_TYPE)


async def send_problem(scope: Scope, send: Send, problem: Problem, more: Headers = ()) -> None:
    """Answer from outside the framework."""
    body = problem_document(scope, problem, instance=scope["path"])
    headers = [(name.encode(), value.encode()) for name, value in _retry_after(problem).items()]
    await respond(scope, send, problem.status, CONTENT_TYPE, body, [*headers, *more])


def allowed_methods(request: Request) -> str:
    """All methods of the path, for Allow: Starlette's own header has only those of the first route."""
    matching = [each for each in request.app.routes if each.matches(request.scope)[0] is not Match.NONE]
    return ", ".join(sorted({method for route in matching for method in getattr(route, "methods", ())}))


def standard_headers(problem: Problem) -> dict[str, str]:
    """Of every answer with this problem."""
    return {"cache-control": "no-store", **_retry_after(problem)}


def _retry_after(problem: Problem) -> dict[str, str]:
    return {"retry-after": str(RETRY_AFTER_SECONDS)} if problem.status == 503 else {}
