"""Bodies of requests get the names of their models: FastAPI names only those that it reads itself."""

from typing import Any

_REF = "#/components/schemas/{model}"


def body_schema(model: Any) -> dict[str, Any]:
    """As `name_bodies` takes it, of a pydantic model."""
    schema: dict[str, Any] = model.model_json_schema(ref_template=_REF)
    return without_defaults(schema)


def name_bodies(document: dict[str, Any]) -> None:
    """Moves each body with a title into the document's schemas."""
    schemas = document["components"]["schemas"]
    for operations in document["paths"].values():
        for operation in operations.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                if "title" in content["schema"]:
                    schema = dict(content["schema"])
                    schemas.update(schema.pop("$defs", {}))
                    schemas[schema["title"]] = schema
                    content["schema"] = {"$ref": _REF.format(model=schema["title"])}


def without_defaults(schema: dict[str, Any]) -> dict[str, Any]:
    """In a patch or an upsert an absent field stays as it is. And a field with a default would be a required
    one in generated clients.
    """
    fields = {
        name: {key: value for key, value in described.items() if key != "default"}
        for name, described in schema.get("properties", {}).items()
    }
    return {**schema, "properties": fields}
