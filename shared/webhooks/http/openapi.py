"""The reads of webhooks, as OpenAPI describes them in both APIs, which each have a schema `Problem`."""

from collections.abc import Sequence
from typing import Any, get_args

from pydantic import BaseModel

from shared.ops.http.limits import HEAD_BYTES_MAX, TARGET_BYTES_MAX
from shared.ops.http.problem import CONTENT_TYPE
from shared.rate_limits.openapi import RATE_LIMIT_HEADERS
from shared.webhooks.http.parameters import CURSOR_CHARACTERS_MAX, LIMIT_DEFAULT, LIMIT_MAX
from shared.webhooks.reading import DeliveryState

Parameters = Sequence[dict[str, Any]]
DELIVERY_ID_DIGITS_MAX = 18
REQUEST_ID = {"X-Request-Id": {"schema": {"type": "string"}, "required": True}}
ETAG = {
    "ETag": {"description": 'The version, quoted: `"3"`.', "schema": {"type": "string"}, "required": True}
}
_RETRY_AFTER = {"Retry-After": {"schema": {"type": "integer"}, "required": True}}
_LINK = {"Link": {"description": "The next page.", "schema": {"type": "string"}, "required": False}}
REQUEST_ID_SENT = {
    "name": "X-Request-Id",
    "in": "header",
    "schema": {"type": "string"},
    "description": "Comes back in the answer and in logs.",
}
ENDPOINT_ID = {
    "name": "endpoint_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "format": "uuid"},
    "description": "The endpoint's id.",
}
PAGING: Parameters = (
    {
        "name": "limit",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT},
        "description": "Items on a page.",
    },
    {
        "name": "cursor",
        "in": "query",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]+$", "maxLength": CURSOR_CHARACTERS_MAX},
        "description": "`next_cursor` of the page before, with the same parameters.",
    },
    REQUEST_ID_SENT,
)
ENDPOINT: Parameters = (ENDPOINT_ID, REQUEST_ID_SENT)
DELIVERIES: Parameters = (
    ENDPOINT_ID,
    {
        "name": "state",
        "in": "query",
        "schema": {"type": "string", "enum": list(get_args(DeliveryState))},
        "description": "Only deliveries in this state.",
    },
    *PAGING,
)


def problem(description: str, headers: dict[str, Any] | None = None) -> dict[str, Any]:
    """An answer with a problem document."""
    return {
        "description": description,
        "headers": {**REQUEST_ID, **(headers or {})},
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _unframed(description: str) -> dict[str, Any]:
    """An answer given before the whole request was read, so that it has no request id."""
    return {**problem(description), "headers": {}}


ALWAYS: dict[int | str, dict[str, Any]] = {
    400: problem("A parameter or header is not acceptable, or it is not valid HTTP."),
    404: problem("There is no such endpoint or delivery for this caller; or `webhooks-off`."),
    408: _unframed("The request did not arrive in time; the connection closes."),
    414: _unframed(f"The address with its query string exceeds {TARGET_BYTES_MAX} bytes."),
    429: problem(
        "The caller, or its address, sends too many requests.", {**_RETRY_AFTER, **RATE_LIMIT_HEADERS}
    ),
    431: _unframed(f"The request line and headers exceed {HEAD_BYTES_MAX} bytes."),
    503: problem("A database is unavailable, or too much is in progress.", _RETRY_AFTER),
}


def read_responses(model: type[BaseModel], *, has_etag: bool) -> dict[int | str, dict[str, Any]]:
    """Every answer to a read."""
    headers = {**REQUEST_ID, **(ETAG if has_etag else _LINK)}
    return {200: {"description": "The answer.", "model": model, "headers": headers}, **ALWAYS}
