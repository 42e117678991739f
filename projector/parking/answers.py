"""A dead letter as operators see it, on the command line and over HTTP."""

import base64
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct


class ListedDeadLetter(Struct, frozen=True, rename={"dead_letter_id": "letter_id"}):
    """A parked product, with the id of its first dead letter; or, with `product_id` None, a single record."""

    projection: str
    product_id: UUID | None
    dead_letter_id: int
    error_class: str
    cause: str
    events: int
    attempts: int
    parked_at: datetime
    tried_at: datetime
    topic: str
    partition: int
    offset: int
    stream_version: int | None = None
    log_position: int | None = None


class Result(Struct, frozen=True, rename={"dead_letter_id": "letter_id"}):
    """The outcome for one dead letter: `retried`, `discarded`, `failed`, or `would-be-...` with a dry run."""

    projection: str
    product_id: UUID | None
    dead_letter_id: int
    outcome: str
    released: int = 0
    left: int = 0
    cause: str | None = None


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """A row of `show_dead_letters.sql` as JSON: bytes as text if they are UTF-8, else base64."""
    names, values = row.pop("header_names"), row.pop("header_values")
    headers = [{"name": name, **_as_text("value", value)} for name, value in zip(names, values, strict=True)]
    document = {"letter_id": row.pop("parked_event_id")}
    for name in ("key", "value"):
        document |= _as_text(name, row.pop(name))
    document |= {name: str(value) if isinstance(value, UUID) else value for name, value in row.items()}
    return {**document, "headers": headers}


def _as_text(name: str, value: bytes | None) -> dict[str, Any]:
    if value is None:
        return {name: None}
    try:
        return {name: value.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(value).decode()}
