"""The compatibility gate itself: what it lets pass, and that it does not let pass what breaks somebody."""

from typing import Any

import pytest

from tests.contract.schema_compatibility import breaking_changes, same_shape

Json = dict[str, Any]
TEXT: Json = {"type": "string"}
NULL: Json = {"type": "null"}
MONEY: Json = {"type": "object", "properties": {"amount": TEXT, "currency": TEXT}, "required": ["amount"]}


def schema(**changes: Any) -> Json:
    """A published schema with one of each: changes replace properties, None takes one away."""
    properties: Json = {
        "sku": TEXT,
        "count": {"type": "integer"},
        "status": {"type": "string", "enum": ["draft", "active"]},
        "note": {"anyOf": [TEXT, NULL], "default": None},
        "price": {"$ref": "#/$defs/Money"},
        "tags": {"type": "array", "items": TEXT, "default": []},
        "options": {"type": "object", "additionalProperties": TEXT},
        "past": {"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/Money"}}, NULL]},
    } | changes
    return {
        "type": "object",
        "properties": {name: rules for name, rules in properties.items() if rules is not None},
        "required": ["sku", "price"],
        "$defs": {"Money": MONEY},
    }


def with_rules(**rules: Any) -> Json:
    return schema() | rules


COMPATIBLE: dict[str, Json] = {
    "nothing": schema(),
    "an optional field": schema(extra=TEXT),
    "an optional field within": with_rules(
        **{"$defs": {"Money": MONEY | {"properties": MONEY["properties"] | {"note": TEXT}}}}
    ),
    "texts": schema(sku=TEXT | {"title": "SKU", "description": "printable", "examples": ["A"]})
    | {"$id": "urn:x", "description": "new words"},
    "the order of fields": schema() | {"properties": dict(reversed(schema()["properties"].items()))},
    "the order of an enumeration": schema(status={"type": "string", "enum": ["active", "draft"]}),
    "the order of alternatives": schema(note={"anyOf": [NULL, TEXT], "default": None}),
    "the name of a definition": schema(
        price={"$ref": "#/$defs/Amount"},
        past={"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/Amount"}}, NULL]},
    )
    | {"$defs": {"Amount": MONEY}},
    "a definition put in place": schema(price=MONEY),
    "what was meant anyway": with_rules(additionalProperties=True),
}
INCOMPATIBLE: dict[str, tuple[Json, str]] = {
    "a field removed": (schema(count=None), "$.count: removed"),
    "a field renamed": (schema(count=None, number={"type": "integer"}), "$.count: removed"),
    "a type changed": (schema(sku={"type": "integer"}), "$.sku: type 'string' became 'integer'"),
    "a type widened": (schema(count={"type": "number"}), "$.count: type 'integer' became 'number'"),
    "a type left open": (schema(sku={}), "$.sku: type 'string' became nothing"),
    "null allowed": (schema(sku={"anyOf": [TEXT, NULL]}), "$.sku: type 'string' became nothing"),
    "null no longer allowed": (schema(note=TEXT | {"default": None}), "$.note: type nothing became 'string'"),
    "an alternative more": (
        schema(note={"anyOf": [TEXT, NULL, {"type": "integer"}], "default": None}),
        "$.note: the alternative {'type': 'integer'} is new",
    ),
    "an alternative less": (
        schema(note={"anyOf": [TEXT], "default": None}),
        "$.note: the alternative {'type': 'null'} is gone or changed",
    ),
    "required added": (with_rules(required=["sku", "price", "count"]), "$.count: required, which old data"),
    "a required field added": (
        schema(extra=TEXT) | {"required": ["sku", "price", "extra"]},
        "$.extra: required, which old data",
    ),
    "required dropped": (with_rules(required=["sku"]), "$.price: no longer required"),
    "an enumeration narrowed": (schema(status={"type": "string", "enum": ["draft"]}), "$.status: enum"),
    "an enumeration widened": (
        schema(status={"type": "string", "enum": ["draft", "active", "archived"]}),
        "$.status: enum",
    ),
    "an enumeration introduced": (schema(sku=TEXT | {"enum": ["A"]}), "$.sku: enum nothing became ['A']"),
    "a constant introduced": (schema(sku=TEXT | {"const": "A"}), "$.sku: const nothing became 'A'"),
    "additional properties closed": (with_rules(additionalProperties=False), "${}: True became False"),
    "additional properties typed": (with_rules(additionalProperties=TEXT), "${}: True became"),
    "values of a mapping changed": (
        schema(options={"type": "object", "additionalProperties": {"type": "integer"}}),
        "$.options{}: type 'string' became 'integer'",
    ),
    "values of a mapping left open": (schema(options={"type": "object"}), "$.options{}:"),
    "items changed": (
        schema(tags={"type": "array", "items": {"type": "integer"}, "default": []}),
        "$.tags[]: type 'string' became 'integer'",
    ),
    "items left open": (schema(tags={"type": "array", "default": []}), "$.tags[]:"),
    "a default changed": (
        schema(tags={"type": "array", "items": TEXT, "default": ["new"]}),
        "$.tags: default [] became ['new']",
    ),
    "a format demanded": (schema(sku=TEXT | {"format": "uuid"}), "$.sku: format nothing became 'uuid'"),
    "a pattern demanded": (schema(sku=TEXT | {"pattern": "^A"}), "$.sku: pattern nothing became '^A'"),
    "a limit set": (schema(sku=TEXT | {"maxLength": 9}), "$.sku: maxLength nothing became 9"),
    "a keyword that nobody here knows": (with_rules(minProperties=1), "$: minProperties nothing became 1"),
    "a field removed within": (
        with_rules(**{"$defs": {"Money": MONEY | {"properties": {"amount": TEXT}}}}),
        "$.price.currency: removed",
    ),
    "a field removed within an alternative": (
        schema(past={"anyOf": [{"type": "array", "items": MONEY | {"properties": {"amount": TEXT}}}, NULL]}),
        "$.past: the alternative",
    ),
    "an object became anything": ({}, "$: type 'object' became nothing"),
}


@pytest.mark.parametrize("name", COMPATIBLE)
def test_what_no_consumer_and_no_producer_notices_passes(name: str) -> None:
    assert breaking_changes(schema(), COMPATIBLE[name]) == []


@pytest.mark.parametrize("name", INCOMPATIBLE)
def test_what_breaks_somebody_is_named_with_its_place(name: str) -> None:
    present, complaint = INCOMPATIBLE[name]
    assert any(found.startswith(complaint) for found in breaking_changes(schema(), present))


@pytest.mark.parametrize("name", [*COMPATIBLE])
def test_only_an_added_field_makes_a_compatible_schema_another_shape(name: str) -> None:
    assert same_shape(schema(), COMPATIBLE[name]) is not name.startswith("an optional field")


@pytest.mark.parametrize("rule", [False, {"type": "integer"}])
def test_a_closed_schema_takes_no_field_more(rule: Any) -> None:
    closed = with_rules(additionalProperties=rule)
    added = schema(extra=TEXT) | {"additionalProperties": rule}
    assert breaking_changes(closed, closed) == []
    assert breaking_changes(closed, added) == ["$.extra: new, where old consumers refuse other fields"]


def test_two_equal_alternatives_need_two_partners() -> None:
    twice = schema(note={"anyOf": [TEXT, TEXT]})
    assert breaking_changes(twice, schema(note={"anyOf": [TEXT]})) != []
    assert breaking_changes(twice, twice) == []
