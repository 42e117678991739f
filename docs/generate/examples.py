"""Examples from the golden files: bytes of the past, with the headers that the relay's code gives them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from docs.generate.schemas import Shape
from shared.contract.recorded_event import EventMetadata, RecordedEvent
from shared.kafka.cloud_event import record_headers

_CONTRACT = Path(__file__).parents[2] / "tests" / "contract"
_LOG_ID = b"0193f0a0-0000-4000-8000-000000000000"
_PRODUCT_ID = UUID("0193f0a0-0000-7000-8000-000000000001")
_METADATA = EventMetadata(
    event_id=UUID("0193f0a0-0000-7000-8000-000000001004"),
    correlation_id="request-4",
    causation_id="command-4",
    traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
)


def event_example(shape: Shape) -> dict[str, Any]:
    """Headers and payload of the golden file of this type and schema version."""
    data = (_CONTRACT / "golden" / f"{shape.name}.v{shape.version}.json").read_bytes()
    stream_version = 1 if shape.name == "product-created" else 4
    event = RecordedEvent(
        100 + stream_version,
        _PRODUCT_ID,
        stream_version,
        shape.name,
        shape.version,
        data,
        _METADATA,
        datetime(2026, 1, 2, 3, 4, 5, 123456, UTC),
    )
    headers = {name: value.decode() for name, value in record_headers(event, _LOG_ID)}
    return {"name": f"{shape.name}-v{shape.version}", "headers": headers, "payload": json.loads(data)}


def document_example() -> dict[str, Any]:
    """What a reader saw of the newest golden history, before the product was deleted."""
    newest = max((_CONTRACT / "golden_histories").glob("history.v*.documents.ndjson"), key=_generation)
    *_, last = _living(newest)
    return {"name": "product-document", "payload": last}


def _living(documents: Path) -> Iterator[dict[str, Any]]:
    yield from (document for line in documents.read_text().splitlines() if (document := json.loads(line)))


def _generation(file: Path) -> int:
    return int(file.name.split(".")[1].removeprefix("v"))
