"""From a definition's OpenAPI schema to a JSON Schema that refuses every field that it does not name.

The API server drops unknown fields without a word (or warns, with `--validate=warn`), so a misspelt field
would be a setting that is never made. CEL rules (`x-kubernetes-validations`) are not evaluated here; a server
with the definitions does that (deploy/kustomize/components/README.md says when it was tried).
"""

from typing import Any

Schema = dict[str, Any]

_STRINGS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
METADATA: Schema = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "pattern": r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", "maxLength": 253},
        "namespace": {"type": "string"},
        "labels": _STRINGS,
        "annotations": _STRINGS,
    },
    "required": ["name"],
    "additionalProperties": False,
}
_OPEN = "x-kubernetes-preserve-unknown-fields"
_INT_OR_STRING = "x-kubernetes-int-or-string"


def strict_definition(definition: Schema, version: str) -> Schema:
    """The schema of one version of a CustomResourceDefinition. Raises LookupError if it is not served."""
    for one in definition["spec"]["versions"]:
        if one["name"] == version and one["served"]:
            schema = strict(one["schema"]["openAPIV3Schema"])
            names = definition["spec"]["names"]
            schema["properties"] |= {
                "apiVersion": {"const": f"{definition['spec']['group']}/{version}"},
                "kind": {"const": names["kind"]},
                "metadata": METADATA,
            }
            schema["required"] = sorted({*schema.get("required", ()), "apiVersion", "kind", "metadata"})
            return schema
    raise LookupError(f"{definition['metadata']['name']} has no version {version}")


def strict(schema: Schema) -> Schema:
    """Without texts, closed wherever the fields are named."""
    made = {
        key: _inside(key, value)
        for key, value in schema.items()
        if key not in ("description", "format", "default", "nullable", "example")
        and not key.startswith("x-kubernetes")
    }
    if schema.get(_INT_OR_STRING):
        made = {"type": ["integer", "string"]} | ({"pattern": made["pattern"]} if "pattern" in made else {})
    elif "properties" in made and "additionalProperties" not in made and not schema.get(_OPEN):
        made["additionalProperties"] = False
    return {"anyOf": [made, {"type": "null"}]} if schema.get("nullable") else made


def _inside(key: str, value: Any) -> Any:
    """Only these keywords hold schemas. Alternatives of an object name fields that are described beside
    them, and stay open.
    """
    if key == "properties":
        return {name: strict(one) for name, one in value.items()}
    if key == "items" or (key == "additionalProperties" and isinstance(value, dict)):
        return strict(value)
    return value
