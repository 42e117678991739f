"""Completes the OpenAPI document, so that generated clients say what happens, in the names of the domain.

FastAPI describes a 422 that never happens, bodies of HEAD and 304, and parameters that may be null, which no
address can say. It names schemas by their classes, and ours end with `Model` where the domain has the name.
"""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from query_api.http.problem_schema import ProblemModel
from shared.access.http.framework import secure_document

_REF = "#/components/schemas/"
_SUFFIX = "Model"


def install(app: FastAPI, *, is_guarded: bool) -> None:
    """Make `app.openapi` answer the completed document."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = _completed(generate())
            secure_document(document, is_guarded=is_guarded)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    for path in document["paths"].values():
        for method, operation in path.items():
            _complete(method, operation)
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    problem = ProblemModel.model_json_schema(ref_template=_REF + "{model}")
    schemas.update(problem.pop("$defs"))
    schemas["Problem"] = problem
    for schema in schemas.values():
        for field in schema.get("properties", {}).values():
            field.pop("default", None)  # a field of an answer that is absent is absent, and is not this
    _rename(document)
    return document


def _complete(method: str, operation: dict[str, Any]) -> None:
    operation["responses"].pop("422", None)
    for status, response in operation["responses"].items():
        if method == "head" or status == "304":
            response.pop("content", None)
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _without_null(parameter["schema"])


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    some = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if len(some) != 1:
        return schema
    others = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**some[0], **others}


def _rename(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name in [name for name in schemas if name.endswith(_SUFFIX)]:
        short = name.removesuffix(_SUFFIX)
        assert short not in schemas, f"two schemas would be named {short}"
        schemas[short] = {**schemas.pop(name), "title": short}
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    for reference in _references(document):
        reference["$ref"] = reference["$ref"].removesuffix(_SUFFIX)


def _references(part: Any) -> Iterator[dict[str, Any]]:
    """Every object that refers to a schema."""
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part
        for below in part.values():
            yield from _references(below)
    elif isinstance(part, list):
        for below in part:
            yield from _references(below)
