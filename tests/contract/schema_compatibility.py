"""Whether a schema may replace a published one: old consumers read new data, new ones old data, for ever.

Both directions at once, because the log keeps what old producers wrote, and consumers are not deployed with
us. So nothing is allowed but an optional field more. A keyword that this module does not know must not
change at all: it fails closed.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]

_ANNOTATIONS = frozenset(
    {"$schema", "$id", "$comment", "$defs", "title", "description", "examples", "deprecated"}
)
_NESTED = frozenset({"properties", "required", "items", "anyOf", "additionalProperties"})


def breaking_changes(published: Schema, present: Schema) -> list[str]:
    """What breaks an older consumer or an older producer, each as `<place>: <what>`; [] when nothing does."""
    return list(_compare(_Node(published, published), _Node(present, present), "$"))


def same_shape(published: Schema, present: Schema) -> bool:
    """Whether they say the same, whatever their texts."""
    return not breaking_changes(published, present) and not breaking_changes(present, published)


class _Node:
    """A schema within its document; a reference is followed when the node is made."""

    def __init__(self, schema: Any, document: Schema) -> None:
        while isinstance(schema, Mapping) and "$ref" in schema:
            schema = _resolved(schema["$ref"], document) | {k: v for k, v in schema.items() if k != "$ref"}
        self.schema: Any = schema
        self.document = document

    def child(self, schema: Any) -> "_Node":
        return _Node(schema, self.document)

    def rules(self) -> dict[str, Any]:
        return {name: rule for name, rule in self.schema.items() if name not in _ANNOTATIONS}


def _resolved(reference: str, document: Schema) -> dict[str, Any]:
    prefix = "#/$defs/"
    assert reference.startswith(prefix), f"only references into $defs are known here, not {reference}"
    found: dict[str, Any] = dict(document["$defs"][reference.removeprefix(prefix)])
    return found


def _compare(old: _Node, new: _Node, place: str) -> Iterator[str]:
    if isinstance(old.schema, bool) or isinstance(new.schema, bool):
        if old.schema != new.schema:
            yield f"{place}: {_told(old.schema)} became {_told(new.schema)}"
        return
    before, after = old.rules(), new.rules()
    for keyword in sorted((before.keys() | after.keys()) - _NESTED):
        if _normal(keyword, before.get(keyword)) != _normal(keyword, after.get(keyword)):
            yield f"{place}: {keyword} {_told(before.get(keyword))} became {_told(after.get(keyword))}"
    yield from _compare_properties(old, new, place)
    yield from _compare_optional(old, new, "items", f"{place}[]")
    yield from _compare_optional(old, new, "additionalProperties", f"{place}{{}}")
    yield from _compare_alternatives(old, new, place)


def _compare_properties(old: _Node, new: _Node, place: str) -> Iterator[str]:
    before, after = old.schema.get("properties", {}), new.schema.get("properties", {})
    required_before, required_after = set(old.schema.get("required", ())), set(new.schema.get("required", ()))
    for name in before:
        if name not in after:
            yield f"{place}.{name}: removed"
        else:
            yield from _compare(old.child(before[name]), new.child(after[name]), f"{place}.{name}")
    if old.schema.get("additionalProperties", True) is not True:
        for name in sorted(after.keys() - before.keys()):
            yield f"{place}.{name}: new, where old consumers refuse other fields"
    for name in sorted(required_after - required_before):
        yield f"{place}.{name}: required, which old data need not have"
    for name in sorted(required_before - required_after):
        yield f"{place}.{name}: no longer required, which old consumers count on"


def _compare_optional(old: _Node, new: _Node, keyword: str, place: str) -> Iterator[str]:
    """A sub-schema that may be absent, which means that anything goes: the same as `true`."""
    before, after = old.schema.get(keyword, True), new.schema.get(keyword, True)
    yield from _compare(old.child(before), new.child(after), place)


def _compare_alternatives(old: _Node, new: _Node, place: str) -> Iterator[str]:
    """Each alternative must have one partner, in whatever order."""
    left: list[Any] = list(new.schema.get("anyOf", ()))
    for alternative in old.schema.get("anyOf", ()):
        partner = _partner(old.child(alternative), new, left, place)
        if partner is None:
            yield f"{place}: the alternative {_told(alternative)} is gone or changed"
        else:
            left.remove(partner)
    for alternative in left:
        yield f"{place}: the alternative {_told(alternative)} is new"


def _partner(old: _Node, new: _Node, candidates: Sequence[Any], place: str) -> Any:
    for candidate in candidates:
        if not list(_compare(old, new.child(candidate), place)):
            return candidate
    return None


def _normal(keyword: str, value: Any) -> Any:
    """The order of an enumeration or of several types says nothing."""
    if keyword in ("enum", "type") and isinstance(value, list):
        return sorted(value, key=repr)
    return value


def _told(value: Any) -> str:
    return "nothing" if value is None else repr(value)
