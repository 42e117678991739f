"""The page of all topics and messages, from docs/asyncapi.yaml."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Document = dict[str, Any]


def topics_page(document: Document) -> str:
    """Each channel with its topic and messages, then each message with its schemas and an example."""
    return "\n".join(["# Topics and messages", "", document["info"]["description"], "", *_all(document)])


def read_document(file: Path) -> Document:
    """The AsyncAPI document; anything but a mapping is an error."""
    document = yaml.safe_load(file.read_text())
    assert isinstance(document, dict)
    return document


def _all(document: Document) -> Iterator[str]:
    yield from (
        "For programs: [asyncapi.yaml](../asyncapi.yaml). How to consume: [events](../events.md).",
        "",
        "## Topics",
        "",
    )
    for name, channel in document["channels"].items():
        yield from _channel(name, channel)
    yield from ("## Messages", "")
    for name, message in document["components"]["messages"].items():
        yield from _message(name, message)
    yield from ("## Schemas", "")
    for name, schema in document["components"]["schemas"].items():
        yield from _schema(name, schema)


def _channel(name: str, channel: Document) -> Iterator[str]:
    kafka = channel["bindings"]["kafka"]
    settings = ", ".join(f"`{key}` {_plain(value)}" for key, value in kafka["topicConfiguration"].items())
    messages = ", ".join(f"[{message}](#{_anchor(message)})" for message in channel["messages"])
    yield from (
        f"### {name}",
        "",
        channel["description"],
        "",
        f"{kafka['partitions']} partitions; {settings}.",
        "",
        f"Messages: {messages}.",
        "",
    )


def _message(name: str, message: Document) -> Iterator[str]:
    yield from (
        f"### {message.get('title', name)} {{ #{_anchor(name)} }}",
        "",
        message.get("summary", ""),
        "",
    )
    for part in ("headers", "payload"):
        used = dict.fromkeys(_references(message.get(part)))
        if used:
            yield f"{part.capitalize()}: {', '.join(f'[{schema}](#{_anchor(schema)})' for schema in used)}."
            yield ""
    for example in message.get("examples", [])[:1]:
        yield from _json(f"An example of {name}", example)


def _schema(name: str, schema: Document) -> Iterator[str]:
    yield from (f"### {name} {{ #{_anchor(name)} }}", "", schema.get("description", ""), "")
    properties = schema.get("properties", {})
    if properties:
        yield from ("| field | type | required | meaning |", "|---|---|---|---|")
        required = schema.get("required", [])
        for field, about in properties.items():
            is_required = "yes" if field in required else "no"
            meaning = about.get("description", "").replace("\n", " ").replace("|", "\\|")
            yield f"| `{field}` | {_type(about)} | {is_required} | {meaning} |"
        yield ""


def _type(schema: Document) -> str:
    """Short, for a table: links for schemas that have a name."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{_anchor(name)})"
    if "const" in schema:
        return f"`{json.dumps(schema['const'], ensure_ascii=False)}`"
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            return " or ".join(dict.fromkeys(_type(one) for one in schema[word]))
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"map of {_type(schema['additionalProperties'])}"
    kind = " or ".join(kind) if isinstance(kind, list) else kind
    return f"{kind} ({schema['format']})" if "format" in schema else str(kind)


def _references(part: Any) -> Iterator[str]:
    """The names of all schemas that this part refers to."""
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"].rpartition("/")[2]
        for value in part.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)


def _json(caption: str, content: Document) -> Iterator[str]:
    text = json.dumps(
        {key: value for key, value in content.items() if key != "name"}, ensure_ascii=False, indent=2
    )
    yield from (f"{caption}:", "", "```json", *text.splitlines(), "```", "")


def _plain(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)


def _anchor(name: str) -> str:
    return name.replace(".", "-").lower()
