"""The write endpoints, as OpenAPI describes them: parameters, bodies, and which statuses each can answer.

The handlers read their bodies themselves (FastAPI's way costs more than a whole command), so their bodies are
described here, from the same pydantic models that check them.
"""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from command_api.http import import_reports, schemas
from command_api.http.batch import schemas as batch_schemas
from command_api.http.headers import IMPORT_ID_CHARACTERS_MAX
from command_api.http.names import NAME_CHARACTERS_MAX
from command_api.http.openapi.answers import JSON, REF, SCHEMAS, if_match, response
from command_api.http.openapi.named_bodies import without_defaults
from shared.access.http.framework import needs
from shared.access.scopes import Scope

_MODELS: tuple[type[BaseModel], ...] = (
    schemas.ProductIn,
    schemas.PatchIn,
    schemas.VariantBody,
    schemas.MoneyIn,
    batch_schemas.CreateOperation,
    batch_schemas.UpsertOperation,
    batch_schemas.UpdateOperation,
    batch_schemas.PriceOperation,
    batch_schemas.StatusOperation,
    schemas.Result,
    import_reports.ImportReportIn,
)
_OPERATIONS = ("CreateOperation", "UpsertOperation", "UpdateOperation", "PriceOperation", "StatusOperation")
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "A retry with the same key gets the first answer; kept 24 h.",
}
_IF_MATCH = if_match("product")
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "schema": {"type": "string", "enum": ["*"]},
    "description": "`*`: only if the product does not have this variant yet.",
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
    "import_id": {
        "schema": {"type": "string", "pattern": rf"^[!-~]{{1,{IMPORT_ID_CHARACTERS_MAX}}}$"},
        "description": "The Import-Id of the run's requests, percent-encoded.",
    },
    "sku": {
        "schema": {"type": "string", "minLength": 1, "maxLength": NAME_CHARACTERS_MAX},
        "description": "The SKU, percent-encoded: `/` and spaces are allowed.",
    },
}

# handler -> path parameters, media types of the body with their schema, statuses beyond the common ones
_ENDPOINTS: dict[str, tuple[tuple[str, ...], dict[str, str], tuple[int, ...]]] = {
    "create_product": ((), {JSON: "ProductIn"}, (201, 409)),
    # NDJSON is only in the text: no generator of clients can write it, and some give up the whole operation.
    "run_batch": ((), {JSON: "batch"}, (207,)),
    "report_import": (("import_id",), {JSON: "ImportReportIn"}, (204, 409)),
    "change_details": (
        ("product_id",),
        {"application/merge-patch+json": "PatchIn", JSON: "PatchIn"},
        (200, 404, 409, 412),
    ),
    "delete_product": (("product_id",), {}, (204, 404, 409, 412)),
    "put_variant": (("product_id", "sku"), {JSON: "VariantBody"}, (200, 201, 404, 409, 412)),
    "remove_variant": (("product_id", "sku"), {}, (204, 404, 409, 412)),
    "change_price": (("product_id", "sku"), {JSON: "MoneyIn"}, (200, 404, 409, 412)),
    "publish_product": (("product_id",), {}, (200, 404, 409, 412)),
    "archive_product": (("product_id",), {}, (200, 404, 409, 412)),
    "restore_product": (("product_id",), {}, (200, 404, 409, 412)),
}


def describes(handler: str, scope: Scope) -> dict[str, Any]:
    """FastAPI's arguments for one route."""
    path, bodies, statuses = _ENDPOINTS[handler]
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, **_PATH[name]} for name in path
    ]
    parameters += [_REQUEST_ID]
    if "import_id" not in path:
        parameters += [_KEY, _IMPORT_ID, *([_IF_MATCH] if 412 in statuses else [])]
    parameters += [_IF_NONE_MATCH] if handler == "put_variant" else []
    extra: dict[str, Any] = {"parameters": parameters, **needs(scope)}
    if bodies:
        content = {media_type: {"schema": _body_schema(name)} for media_type, name in bodies.items()}
        extra["requestBody"] = {"required": True, "content": content}
    always = (400, 408, 414, 422, 429, 431, 503, *((413, 415) if bodies else ()))
    responses = {status: response(handler, status) for status in sorted({*statuses, *always})}
    success = min(responses)
    return {
        "operation_id": handler,
        "status_code": success,
        "responses": responses,
        "openapi_extra": extra,
        "response_model": None,
        "tags": ["imports" if "import_id" in path else "products"],
    }


def _body_schema(name: str) -> dict[str, Any]:
    operation = {"oneOf": [{"$ref": REF.format(model=each)} for each in _OPERATIONS]}
    if name == "batch":
        return {"type": "array", "maxItems": 1000, "items": operation}
    return {"$ref": REF.format(model=name)}


def component_schemas() -> dict[str, Any]:
    """The schemas that the endpoints refer to, from the pydantic models."""
    _, definitions = models_json_schema(
        [(model, "validation") for model in _MODELS], ref_template="#/components/schemas/{model}"
    )
    schemas_by_name: dict[str, Any] = definitions["$defs"]
    return {**{name: without_defaults(model) for name, model in schemas_by_name.items()}, **SCHEMAS}
