"""The writes of webhook endpoints, as OpenAPI describes them."""

from typing import Any

from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from command_api.http.openapi.answers import if_match
from command_api.http.openapi.named_bodies import body_schema
from shared.access.http.framework import needs
from shared.webhooks.http.openapi import (
    ALWAYS,
    DELIVERY_ID_DIGITS_MAX,
    ENDPOINT_ID,
    ETAG,
    REQUEST_ID,
    REQUEST_ID_SENT,
    problem,
)
from shared.webhooks.http.read_routes import SCOPE

_IF_MATCH = if_match("endpoint")
_DELIVERY_ID = {
    "name": "delivery_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": rf"^[0-9]{{1,{DELIVERY_ID_DIGITS_MAX}}}$"},
    "description": "The delivery's id.",
}
_LOCATION = {"description": "Where the endpoint is read.", "schema": {"type": "string"}, "required": True}
_REFUSED = {
    409: problem("Too many endpoints, or others keep changing it."),
    412: problem("If-Match does not match."),
    413: problem("Body too large."),
    415: problem("Wrong media type or charset, or a Content-Encoding."),
    422: problem("Not valid; or webhooks are not sent to the host of this URL; or it cannot be found."),
}
_DESCRIPTIONS = {
    200: "Done, or nothing had to change.",
    201: "Registered.",
    202: "Requested.",
    204: "Deleted.",
}


def describes(
    path: str,
    status: int,
    answer: type[BaseModel] | None,
    body: type[BaseModel] | None = None,
    media_types: tuple[str, ...] = (),
    *,
    has_etag: bool = False,
    takes_if_match: bool = False,
    is_body_required: bool = True,
) -> dict[str, Any]:
    """FastAPI's arguments for one route."""
    parameters: list[dict[str, Any]] = [
        each
        for name, each in (("{endpoint_id}", ENDPOINT_ID), ("{delivery_id}", _DELIVERY_ID))
        if name in path
    ]
    parameters += [REQUEST_ID_SENT, _IF_MATCH] if takes_if_match else [REQUEST_ID_SENT]
    success: dict[str, Any] = {"description": _DESCRIPTIONS[status], "headers": dict(REQUEST_ID)}
    if answer is not None:
        success["model"] = answer
    if has_etag:
        success["headers"] |= ETAG
    if status == 201:
        success["headers"]["Location"] = _LOCATION
    extra: dict[str, Any] = {"parameters": parameters, **needs(SCOPE)}
    left_out = set() if takes_if_match else {412}
    if body is None:
        left_out |= {413, 415, 422}
    else:
        content = {each: {"schema": body_schema(body)} for each in media_types}
        extra["requestBody"] = {"required": is_body_required, "content": content}
    refused = {each: described for each, described in _REFUSED.items() if each not in left_out}
    return {
        "status_code": status,
        "responses": {status: success, **ALWAYS, **refused},
        "openapi_extra": extra,
        "response_model": None,
        "response_class": Response if answer is None else JSONResponse,
        "tags": ["webhooks"],
    }
