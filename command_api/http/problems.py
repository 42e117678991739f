"""The table from errors to HTTP: the only place that gives a refusal its status."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from command_api.domain import errors
from command_api.executing.ports import KeyInUse, OutcomeUnknown, StoreOverloaded, StoreUnavailable
from command_api.import_runs import ImportIdTaken
from shared.ops.http.problem import INTERNAL_ERROR, Problem
from shared.ops.http.problem_answer import problem_response, standard_headers


class HttpProblem(Exception):
    """A refusal of the HTTP layer itself."""

    def __init__(self, problem: Problem, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(problem.detail or problem.title)
        self.problem = problem
        self.headers = dict(headers or {})


# error -> status, code, title
_TABLE: tuple[tuple[type[Exception], int, str, str], ...] = (
    (errors.ProductNotFound, 404, "product-not-found", "Product not found"),
    (errors.VariantNotFound, 404, "variant-not-found", "Variant not found"),
    (errors.VariantExists, 412, "variant-exists", "The product has this variant already"),
    (errors.TransitionNotAllowed, 409, "transition-not-allowed", "The status does not allow this"),
    (errors.LastVariant, 409, "last-variant", "The last variant stays"),
    (errors.TooManyVariants, 422, "too-many-variants", "Too many variants"),
    (errors.NewProductIncomplete, 422, "product-incomplete", "A new product needs more"),
    (errors.VariantNeedsPrice, 422, "variant-needs-price", "A new variant needs a price"),
    (errors.VariantAmbiguous, 422, "variant-ambiguous", "It is not clear which variant is meant"),
    (errors.ProductTooLarge, 422, "product-too-large", "The product is too large"),
    (errors.VersionDoesNotMatch, 412, "version-does-not-match", "If-Match does not match"),
    (errors.TooManyConflicts, 409, "version-conflict", "The product keeps changing"),
    (errors.SlugTaken, 409, "slug-taken", "The slug is taken"),
    (errors.SkuTaken, 409, "sku-taken", "The SKU is taken"),
    (errors.KeyReused, 422, "idempotency-key-reused", "The idempotency key was used for another request"),
    (ImportIdTaken, 409, "import-id-taken", "The id of this import is taken"),
    (StoreUnavailable, 503, "store-unavailable", "The event store is unavailable; nothing was written"),
    (KeyInUse, 503, "request-in-progress", "The first request with this idempotency key is in progress"),
    (StoreOverloaded, 503, "overloaded", "Too many commands are waiting; nothing was written"),
    (OutcomeUnknown, 503, "outcome-unknown", "It is unknown whether this was written"),
)
EXPECTED_ERRORS = tuple(error for error, _, _, _ in _TABLE)


def problem_of(error: Exception) -> Problem:
    """The problem of any error of a command; an error that is not in the table is a bug: 500."""
    if isinstance(error, HttpProblem):
        return error.problem
    for kind, status, code, title in _TABLE:
        if isinstance(error, kind):
            return Problem(status, code, title, str(error) or None, _fields(error), _extensions(error))
    return INTERNAL_ERROR


def _fields(error: Exception) -> tuple[tuple[str, str, str], ...]:
    if isinstance(error, errors.UpsertIncomplete):
        return tuple((f"/product{pointer}", "missing", str(error)) for pointer in error.pointers)
    return ()


def _extensions(error: Exception) -> dict[str, Any]:
    match error:
        case errors.VersionDoesNotMatch() | errors.TooManyConflicts():
            return {"current_version": error.current_version}
        case errors.SkuTaken() if error.conflicts:
            return {"conflicts": [_conflict(each) for each in error.conflicts]}
        case _:
            return {}


def _conflict(held: errors.HeldSku) -> dict[str, str]:
    slug = {} if held.slug is None else {"slug": held.slug}
    return {"sku": held.sku, "product_id": str(held.product_id), **slug}


def error_response(request: Request, error: Exception) -> Response:
    """The whole answer to a request that failed with `error`."""
    return problem_response(request, problem_of(error), _headers_of(error))


def problem_headers(error: Exception, problem: Problem) -> dict[str, str]:
    """The headers of the same answer, for a request that has not come through the framework."""
    return standard_headers(problem) | _headers_of(error)


def _headers_of(error: Exception) -> dict[str, str]:
    headers = dict(error.headers) if isinstance(error, HttpProblem) else {}
    if isinstance(error, errors.VersionDoesNotMatch) and error.current_version:
        headers["etag"] = f'"{error.current_version}"'
    return headers
