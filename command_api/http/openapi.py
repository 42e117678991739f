"""What OpenAPI says of each write endpoint: bodies, headers and every status, problems included.

The handlers read their bodies themselves (FastAPI's way costs more than a whole command), so what they
take is told here, from the same pydantic models that check it.
"""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from command_api.http import schemas
from command_api.http.headers import IMPORT_ID_CHARACTERS_MAX

_REF = "#/components/schemas/{model}"
_JSON = "application/json"
_MODELS: tuple[type[BaseModel], ...] = (
    schemas.ProductIn,
    schemas.PatchIn,
    schemas.VariantBody,
    schemas.MoneyIn,
    schemas.CreateOperation,
    schemas.UpsertOperation,
    schemas.UpdateOperation,
    schemas.PriceOperation,
    schemas.StatusOperation,
    schemas.Result,
)
_OPERATIONS = ("CreateOperation", "UpsertOperation", "UpdateOperation", "PriceOperation", "StatusOperation")
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable; made for programs."},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "trace_id": {"type": "string"},
        "request_id": {"type": "string"},
        "current_version": {"type": "integer"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer into the body (RFC 6901)."},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
_BATCH_RESULT = {
    "type": "object",
    "required": ["results"],
    "properties": {
        "results": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["index", "status"],
                "properties": {
                    "index": {"type": "integer"},
                    "status": {"type": "integer"},
                    "id": {"type": "string", "format": "uuid"},
                    "version": {"type": "integer"},
                    "changed": {"type": "boolean", "description": "Absent on a repeated answer."},
                    "problem": {"$ref": "#/components/schemas/Problem"},
                },
            },
        }
    },
}
_HEADERS = {
    "ETag": {"description": 'The version, quoted: `"3"`.', "schema": {"type": "string"}, "required": True},
    "Consistency-Token": {
        "description": "Send it with a read to see this write.",
        "schema": {"type": "string"},
        "required": True,
    },
    "X-Request-Id": {"schema": {"type": "string"}, "required": True},
}
_TITLES = {
    200: "Done, or nothing had to change",
    201: "Created",
    204: "Gone",
    207: "One result per operation, in order",
    400: "Malformed body or header",
    404: "No such product or variant",
    409: "Slug or SKU taken, status does not allow it, last variant, or too many conflicts",
    412: "If-Match does not match",
    413: "Body too large",
    415: "Wrong media type",
    422: "Not valid, or an idempotency key used for another request",
    503: "The event store is away or overloaded",
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "A retry with the same key gets the first answer; kept 24 h.",
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "schema": {"type": "string", "pattern": r'^(\*|"[!#-~]*"(, *"[!#-~]*")*)$'},
    "description": 'Only if the product is at this version: `"3"`, a list, or `*`.',
}
_REQUEST_ID = {
    "name": "X-Request-Id",
    "in": "header",
    "schema": {"type": "string"},
    "description": "Echoed, logged, and the correlation id of the events; made where absent or not 1 to 128"
    " visible ASCII characters.",
}
_IMPORT_ID = {
    "name": "Import-Id",
    "in": "header",
    "schema": {"type": "string", "pattern": rf"^[!-~]{{1,{IMPORT_ID_CHARACTERS_MAX}}}$"},
    "description": "Send the same id with every request of one import. It stands in the metadata of each"
    " event, so that subscribers can tell an import from single changes. A retry with the same"
    " Idempotency-Key may name another import: it gets the first answer.",
}
_PATH = {
    "product_id": {"schema": {"type": "string", "format": "uuid"}, "description": "The product's id."},
    "sku": {
        "schema": {"type": "string", "minLength": 1, "maxLength": schemas.SKU_CHARACTERS_MAX},
        "description": "The SKU, percent-encoded: `/` and spaces are allowed.",
    },
}

# handler -> path parameters, media types of the body with their schema, statuses beyond the common ones
_ENDPOINTS: dict[str, tuple[tuple[str, ...], dict[str, str], tuple[int, ...]]] = {
    "create_product": ((), {_JSON: "ProductIn"}, (201, 409)),
    "run_batch": ((), {_JSON: "batch", "application/x-ndjson": "ndjson"}, (207,)),
    "change_details": (
        ("product_id",),
        {"application/merge-patch+json": "PatchIn", _JSON: "PatchIn"},
        (200, 404, 409, 412),
    ),
    "delete_product": (("product_id",), {}, (204, 404, 409, 412)),
    "put_variant": (("product_id", "sku"), {_JSON: "VariantBody"}, (200, 201, 404, 409, 412)),
    "remove_variant": (("product_id", "sku"), {}, (204, 404, 409, 412)),
    "change_price": (("product_id", "sku"), {_JSON: "MoneyIn"}, (200, 404, 409, 412)),
    "publish_product": (("product_id",), {}, (200, 404, 409, 412)),
    "archive_product": (("product_id",), {}, (200, 404, 409, 412)),
    "restore_product": (("product_id",), {}, (200, 404, 409, 412)),
}


def describes(handler: str) -> dict[str, Any]:
    """FastAPI's arguments for one route."""
    path, bodies, statuses = _ENDPOINTS[handler]
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, **_PATH[name]} for name in path
    ]
    parameters += [_KEY, _REQUEST_ID, _IMPORT_ID, *([_IF_MATCH] if 412 in statuses else [])]
    extra: dict[str, Any] = {"parameters": parameters}
    if bodies:
        content = {media_type: {"schema": _body_schema(name)} for media_type, name in bodies.items()}
        extra["requestBody"] = {"required": True, "content": content}
    always = (400, 422, 503, *((413, 415) if bodies else ()))
    responses = {status: _response(handler, status) for status in sorted({*statuses, *always})}
    success = min(responses)
    return {
        "operation_id": handler,
        "status_code": success,
        "responses": responses,
        "openapi_extra": extra,
        "response_model": None,
        "tags": ["products"],
    }


def _body_schema(name: str) -> dict[str, Any]:
    operation = {"oneOf": [{"$ref": _REF.format(model=each)} for each in _OPERATIONS]}
    if name == "ndjson":
        return {"type": "string", "description": "One operation a line."}
    if name == "batch":
        return {"type": "array", "maxItems": 1000, "items": operation}
    return {"$ref": _REF.format(model=name)}


def _response(handler: str, status: int) -> dict[str, Any]:
    response: dict[str, Any] = {"description": _TITLES[status], "headers": dict(_HEADERS)}
    if status >= 400:
        response["content"] = {"application/problem+json": {"schema": {"$ref": _REF.format(model="Problem")}}}
        response["headers"] = {"X-Request-Id": _HEADERS["X-Request-Id"]}
        if status == 503:
            response["headers"]["Retry-After"] = {"schema": {"type": "integer"}, "required": True}
        return response
    if status == 207:
        response["content"] = {_JSON: {"schema": _BATCH_RESULT}}
        del response["headers"]["ETag"]
    elif status != 204:
        response["content"] = {_JSON: {"schema": {"$ref": _REF.format(model="Result")}}}
    if handler == "create_product":
        location = {
            "description": "Where the product is read.",
            "schema": {"type": "string"},
            "required": True,
        }
        response["headers"]["Location"] = location
    return response


def component_schemas() -> dict[str, Any]:
    """The schemas that the endpoints refer to, from the pydantic models."""
    _, definitions = models_json_schema(
        [(model, "validation") for model in _MODELS], ref_template="#/components/schemas/{model}"
    )
    schemas_by_name: dict[str, Any] = definitions["$defs"]
    for field in schemas_by_name["PatchIn"]["properties"].values():
        field.pop("default", None)  # an absent field stays as it is
    return {**schemas_by_name, "Problem": _PROBLEM}
