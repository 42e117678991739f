"""The OpenAPI documents have what generators of clients need, or they make up names, or give up types."""

from collections.abc import Iterator
from typing import Any

import pytest

from docs.site.apis import documents

JSON_TYPES = ("application/json", "application/problem+json")
Operations = list[tuple[str, dict[str, Any]]]


@pytest.fixture(params=["command-api", "query-api"])
async def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    return (await documents())[request.param]


@pytest.fixture
def operations(document: dict[str, Any]) -> Operations:
    return [
        (f"{method} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_operation_has_a_name_of_its_own_and_a_tag(operations: Operations) -> None:
    names = [operation.get("operationId", where) for where, operation in operations]
    assert len(set(names)) == len(names)
    assert [name for name in names if not name.isidentifier()] == []
    assert [where for where, operation in operations if len(operation.get("tags", ())) != 1] == []


def test_every_json_answer_is_a_named_schema(operations: Operations) -> None:
    for where, operation in operations:
        for status, answer in operation["responses"].items():
            for media_type, content in answer.get("content", {}).items():
                if media_type in JSON_TYPES:
                    assert set(content["schema"]) == {"$ref"}, f"{where} {status}"


def test_every_refusal_is_a_problem(operations: Operations) -> None:
    for where, operation in operations:
        for status, answer in operation["responses"].items():
            if status >= "400" and not where.startswith("head "):
                schema = answer["content"]["application/problem+json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Problem"}, f"{where} {status}"


def test_no_parameter_may_be_null(operations: Operations) -> None:
    """No address and no header can say null; a generator would offer it."""
    for where, operation in operations:
        for parameter in operation.get("parameters", ()):
            assert {"type": "null"} not in parameter["schema"].get("anyOf", ()), (
                f"{where} {parameter['name']}"
            )


def test_a_body_has_media_types_that_generators_can_write(operations: Operations) -> None:
    writable = {"application/json", "application/merge-patch+json"}
    for where, operation in operations:
        assert set(operation.get("requestBody", {}).get("content", ())) <= writable, where


def test_every_body_is_a_named_schema(operations: Operations) -> None:
    for where, operation in operations:
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
            assert "properties" not in content["schema"], f"{where} {media_type}"


def test_no_object_in_another_is_without_a_name(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert not name.endswith("Model")
        for field, described in schema.get("properties", {}).items():
            for one in _below(described):
                assert "properties" not in one, f"{name}.{field}"


def test_no_field_has_a_default(document: dict[str, Any]) -> None:
    """Generators of types would take it for a field that is always there, also in a request."""
    for name, schema in document["components"]["schemas"].items():
        for field, described in schema.get("properties", {}).items():
            assert "default" not in described, f"{name}.{field}"


def _below(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        yield part
        for below in part.values():
            yield from _below(below)
    elif isinstance(part, list):
        for below in part:
            yield from _below(below)
