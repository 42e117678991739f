"""Answers of the write endpoints, as OpenAPI describes them: every status with its headers, and problems."""

from typing import Any

from shared.ops.http.limits import HEAD_BYTES_MAX, TARGET_BYTES_MAX
from shared.rate_limits.openapi import RATE_LIMIT_HEADERS

REF = "#/components/schemas/{model}"
JSON = "application/json"
SCHEMAS: dict[str, Any] = {
    "Problem": {
        "title": "Problem",
        "description": "RFC 9457.",
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
            "conflicts": {
                "type": "array",
                "description": "With `sku-taken`: every SKU that another product holds, and that product.",
                "items": {"$ref": REF.format(model="SkuConflict")},
            },
            "errors": {"type": "array", "items": {"$ref": REF.format(model="FieldError")}},
        },
    },
    "SkuConflict": {
        "title": "SkuConflict",
        "description": "A SKU, and the product that holds it.",
        "type": "object",
        "required": ["sku", "product_id"],
        "properties": {
            "sku": {"type": "string"},
            "product_id": {"type": "string", "format": "uuid"},
            "slug": {"type": "string", "description": "Absent where it has gone since."},
        },
    },
    "FieldError": {
        "title": "FieldError",
        "description": "What is wrong with one field.",
        "type": "object",
        "required": ["pointer", "code", "detail"],
        "properties": {
            "pointer": {"type": "string", "description": "JSON pointer into the body (RFC 6901)."},
            "code": {"type": "string"},
            "detail": {"type": "string"},
        },
    },
    "BatchResult": {
        "title": "BatchResult",
        "description": "One result for each operation, in their order.",
        "type": "object",
        "required": ["results"],
        "properties": {"results": {"type": "array", "items": {"$ref": REF.format(model="OperationResult")}}},
    },
    "OperationResult": {
        "title": "OperationResult",
        "description": "What became of one operation: id and version, or a problem.",
        "type": "object",
        "required": ["index", "status"],
        "properties": {
            "index": {"type": "integer"},
            "status": {"type": "integer"},
            "id": {"type": "string", "format": "uuid"},
            "version": {"type": "integer"},
            "product_status": {
                "type": "string",
                "enum": ["draft", "active", "archived"],
                "description": "After the operation; absent after a deletion.",
            },
            "changed": {"type": "boolean", "description": "Absent on a repeated answer."},
            "events": {"type": "integer", "description": "How many; absent on a repeated answer."},
            "problem": {"$ref": REF.format(model="Problem")},
        },
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
    400: "Malformed body or header, or a precondition that is not supported here",
    404: "No such product or variant",
    409: "Slug or SKU taken, status does not allow it, last variant, or too many conflicts",
    408: "The request did not arrive in time; nothing was written, and the connection closes",
    412: "A precondition does not hold: If-Match does not match, or the variant is there already",
    413: "Body too large",
    414: f"The address exceeds {TARGET_BYTES_MAX} bytes",
    415: "Wrong media type or charset, or a Content-Encoding",
    422: "Not valid, a key that stands twice, or an idempotency key used for another request",
    429: "The caller, or its address, sends too many requests; nothing was written",
    431: f"The request line and headers exceed {HEAD_BYTES_MAX} bytes",
    503: "The event store is away or overloaded",
}


def if_match(what: str) -> dict[str, Any]:
    """The parameter If-Match of commands for a product, or for what is named."""
    return {
        "name": "If-Match",
        "in": "header",
        "schema": {"type": "string", "pattern": r'^(\*|"[!#-~]*"(, *"[!#-~]*")*)$'},
        "description": f'Only if the {what} is at this version: `"3"`, a list, or `*`.',
    }


def response(handler: str, status: int) -> dict[str, Any]:
    """The answer of this status to a request for this handler."""
    described: dict[str, Any] = {"description": _TITLES[status], "headers": dict(_HEADERS)}
    if status >= 400:
        described["content"] = {"application/problem+json": {"schema": {"$ref": REF.format(model="Problem")}}}
        # What is refused before the request was read has no id.
        described["headers"] = {} if status in (408, 414, 431) else {"X-Request-Id": _HEADERS["X-Request-Id"]}
        if status in (429, 503):
            described["headers"]["Retry-After"] = {"schema": {"type": "integer"}, "required": True}
        if status == 429:
            described["headers"] |= RATE_LIMIT_HEADERS
        return described
    if handler == "report_import":
        described["headers"] = {"X-Request-Id": _HEADERS["X-Request-Id"]}
    elif status == 207:
        described["content"] = {JSON: {"schema": {"$ref": REF.format(model="BatchResult")}}}
        del described["headers"]["ETag"]
    elif status != 204:
        described["content"] = {JSON: {"schema": {"$ref": REF.format(model="Result")}}}
    if handler == "create_product":
        location = {
            "description": "Where the product is read.",
            "schema": {"type": "string"},
            "required": True,
        }
        described["headers"]["Location"] = location
    return described
