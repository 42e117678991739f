"""The headers of a record, as a schema; the code that writes them is `shared/kafka/cloud_event.py`.

A test holds the names, and which of them are always there, against what that code writes.
"""

from typing import Any

from shared.contract.addresses import EVENT_SOURCE

NAME, VERSION = "event-headers", 1
_NUMBER = "^[1-9][0-9]*$"

_ALWAYS: dict[str, dict[str, Any]] = {
    "ce_specversion": {"const": "1.0", "description": "Version of CloudEvents."},
    "ce_id": {
        "format": "uuid",
        "description": "Id of the event, a UUIDv7; a duplicate and a replay have the same.",
    },
    "ce_type": {"description": "Stored type of the event, such as `product-created`."},
    "ce_source": {"const": EVENT_SOURCE, "description": "The sender: this catalogue."},
    "ce_subject": {"format": "uuid", "description": "Id of the product; also the key of the record."},
    "ce_time": {
        "format": "date-time",
        "description": "When the event was recorded, in UTC; also the time of the record.",
    },
    "ce_position": {
        "pattern": _NUMBER,
        "description": "Position in the log, over all products: a whole number of up to 63 bits.",
    },
    "ce_streamversion": {
        "pattern": _NUMBER,
        "description": "Version of the product after the event, from 1 without gaps. Drop older ones.",
    },
    "ce_schemaversion": {
        "pattern": _NUMBER,
        "description": "Schema version of the value, counted for each event type.",
    },
    "ce_correlationid": {"description": "The same for everything that one first request caused."},
    "ce_logid": {
        "format": "uuid",
        "description": "Which event log it is from; positions of different logs cannot be compared.",
    },
    "content-type": {"const": "application/json", "description": "Media type of the value."},
    "correlation_id": {"description": "The same as `ce_correlationid`, for clients that expect this name."},
}
_SOMETIMES: dict[str, dict[str, Any]] = {
    "ce_causationid": {"description": "Id of the direct cause, if it is known."},
    "traceparent": {"description": "W3C trace context of the request that caused it, if it had one."},
    "ce_importid": {
        "description": "Id of the import that wrote it: one for all its events. Absent otherwise."
    },
    "ce_replay": {
        "const": "true",
        "description": "Only on replays. Never repeat a side effect for such a record.",
    },
}


_OF_STATES: dict[str, dict[str, Any]] = {
    **{name: _ALWAYS[name] for name in ("ce_specversion", "ce_source", "ce_subject")},
    "ce_id": {"description": "Product id and version, with a slash between them; a duplicate has the same."},
    "ce_type": {"const": "product-state", "description": "The type of all records of this topic."},
    "ce_time": {"format": "date-time", "description": "When the event that made this state was recorded."},
    "ce_position": {
        "pattern": _NUMBER,
        "description": "Position of that event in the log, over all products.",
    },
    "ce_streamversion": {
        "pattern": _NUMBER,
        "description": "Version of the product; keep the highest.",
    },
}
_OF_SOME_STATES = {name: _ALWAYS[name] for name in ("ce_logid", "content-type")}


def headers_schema() -> dict[str, Any]:
    """Of events. Values are UTF-8 text."""
    return _schema("EventHeaders", _ALWAYS, _SOMETIMES)


def state_headers_schema() -> dict[str, Any]:
    """Of states; written by `projector/state_topic/kafka/topic.py`. A tombstone has no content type."""
    return _schema("StateHeaders", _OF_STATES, _OF_SOME_STATES)


def _schema(
    title: str, always: dict[str, dict[str, Any]], sometimes: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    return {
        "title": title,
        "description": "CloudEvents 1.0 in Kafka's binary mode; each value is UTF-8 text.",
        "type": "object",
        "properties": {name: {"type": "string", **rules} for name, rules in {**always, **sometimes}.items()},
        "required": list(always),
    }
