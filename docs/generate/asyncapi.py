"""The AsyncAPI 3.0 document: which topic carries which messages, with which key and headers, how it is kept.

It stands alone, without references to other files, because most tools read one file; its schemas are those of
docs/schemas in the dialect that AsyncAPI prescribes, which they do not go beyond.
"""

import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from docs.generate import headers
from docs.generate.examples import document_example, event_example
from docs.generate.schemas import Shape, components, document_shape, event_shapes
from shared.contract.addresses import DEFAULT_PARTITION_COUNT, state_topic, topics
from shared.kafka.topics import KEEP_FOR_EVER, LATEST_PER_KEY, TopicSpec

Json = dict[str, Any]
_BINDING_VERSION = "0.5.0"
_STATE_HEADERS = "StateHeaders"
_DESCRIPTION = """\
Every change of the product catalogue. One message is one event of one product. Its key is the id of the
product, so the messages of a product stay in one partition and in order.

Delivery is at least once: a message may come again, alone or with the messages after it, and a replay sends
old messages. Store the last `ce_streamversion` of each product and drop every message that is not newer.
Unknown types and unknown fields may appear at any time: skip and count the types, ignore the fields. More in
docs/events.md."""


class _Channel(NamedTuple):
    """A topic: what it is for, which messages it carries, and how Kafka cleans it."""

    name: str
    address: str
    description: str
    messages: list[str]
    cleanup_policy: str = KEEP_FOR_EVER["cleanup.policy"]


def asyncapi_document() -> Json:
    """All of docs/asyncapi.yaml."""
    shapes = list(event_shapes())
    channels = _channels(shapes)
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Product catalogue: events", "version": _version(), "description": _DESCRIPTION},
        "defaultContentType": "application/json",
        "servers": {
            "local": {
                "host": "127.0.0.1:19092",
                "protocol": "kafka",
                "description": "The broker of `make up`.",
            }
        },
        "channels": {channel.name: _channel(channel) for channel in channels},
        "operations": {f"send-{channel.name}": _operation(channel) for channel in channels},
        "components": {"messages": _messages(shapes), "schemas": _schemas(shapes)},
    }


def _version() -> str:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    return str(project["version"])


def _channels(shapes: list[Shape]) -> list[_Channel]:
    names = topics()
    by_kind: dict[str, list[str]] = {names.created: [], names.updated: [], names.deleted: []}
    for shape in shapes:
        by_kind[names.by_kind(shape.name)].append(_message_name(shape))
    every = [_message_name(shape) for shape in shapes]
    return [
        _Channel("products-events", names.events, "Every event, in order per product.", every),
        _Channel("products-created", names.created, "New products only.", by_kind[names.created]),
        _Channel(
            "products-updated", names.updated, "All but creations and deletions.", by_kind[names.updated]
        ),
        _Channel("products-deleted", names.deleted, "Deletions only.", by_kind[names.deleted]),
        _Channel(
            "products-state",
            state_topic(),
            "The whole product after each change, as readers get it; a message without a value means "
            "that the product is deleted. Compacted: read it from the start to get every product.",
            ["product-document", "product-tombstone"],
            cleanup_policy=LATEST_PER_KEY["cleanup.policy"],
        ),
    ]


def _channel(channel: _Channel) -> Json:
    spec = TopicSpec(channel.address, DEFAULT_PARTITION_COUNT)
    configuration: Json = {"cleanup.policy": [channel.cleanup_policy]}
    if channel.cleanup_policy == KEEP_FOR_EVER["cleanup.policy"]:
        configuration["retention.ms"] = int(KEEP_FOR_EVER["retention.ms"])
    configuration["max.message.bytes"] = spec.record_bytes_max
    return {
        "address": channel.address,
        "description": channel.description,
        "messages": {name: _ref("messages", name) for name in channel.messages},
        "bindings": {
            "kafka": {
                "topic": channel.address,
                "partitions": spec.partition_count,
                "topicConfiguration": configuration,
                "bindingVersion": _BINDING_VERSION,
            }
        },
    }


def _operation(channel: _Channel) -> Json:
    path = f"#/channels/{channel.name}"
    return {
        "action": "send",
        "summary": channel.description,
        "channel": {"$ref": path},
        "messages": [{"$ref": f"{path}/messages/{name}"} for name in channel.messages],
    }


def _messages(shapes: list[Shape]) -> Json:
    schemas = _schemas(shapes)
    messages = {_message_name(shape): _event_message(shape, schemas) for shape in shapes}
    struct = document_shape().struct.__name__
    return messages | {
        "product-document": {
            "title": "The product as it is now",
            "summary": schemas[struct]["description"],
            **_keyed(_ref("schemas", _STATE_HEADERS), _ref("schemas", struct)),
            "examples": [document_example()],
        },
        "product-tombstone": {
            "title": "The product is deleted",
            "summary": "No value: Kafka removes the key when it compacts.",
            **_keyed(_ref("schemas", _STATE_HEADERS), {"type": "null"}),
        },
    }


def _event_message(shape: Shape, schemas: Json) -> Json:
    struct = shape.struct.__name__
    of_this_type = {
        "type": "object",
        "properties": {
            "ce_type": {"const": shape.name},
            "ce_schemaversion": {"const": str(shape.version)},
        },
    }
    return {
        "name": shape.name,
        "title": f"{shape.name}, schema version {shape.version}",
        "summary": schemas[struct]["description"],
        **_keyed({"allOf": [_ref("schemas", "EventHeaders"), of_this_type]}, _ref("schemas", struct)),
        "correlationId": {"location": "$message.header#/ce_correlationid"},
        "examples": [event_example(shape)],
    }


def _keyed(message_headers: Json, payload: Json) -> Json:
    key = {"type": "string", "format": "uuid", "description": "The product's id."}
    return {
        "contentType": "application/json",
        "headers": message_headers,
        "payload": payload,
        "bindings": {"kafka": {"key": key, "bindingVersion": _BINDING_VERSION}},
    }


def _schemas(shapes: list[Shape]) -> Json:
    return {
        "EventHeaders": headers.headers_schema(),
        _STATE_HEADERS: headers.state_headers_schema(),
        **components([*shapes, document_shape()], "#/components/schemas/{name}"),
    }


def _message_name(shape: Shape) -> str:
    return f"{shape.name}.v{shape.version}"


def _ref(kind: str, name: str) -> Json:
    return {"$ref": f"#/components/{kind}/{name}"}
