"""The golden histories: one as each generation of event versions stored it, and one for each younger type."""

from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec

from shared.contract.recorded_event import EventMetadata, RecordedEvent

FOLDER = Path(__file__).with_name("golden_histories")


class Line(msgspec.Struct):
    """One event as the log has it; `data` keeps its bytes."""

    log_position: int
    product_id: UUID
    stream_version: int
    event_type: str
    schema_version: int
    recorded_at: datetime
    metadata: EventMetadata
    data: msgspec.Raw


def history(name: str) -> list[RecordedEvent]:
    """That of a generation (`v2`), or of an event type that is younger than all of them."""
    lines = (FOLDER / f"history.{name}.ndjson").read_bytes().splitlines()
    decoded = [msgspec.json.decode(line, type=Line) for line in lines]
    return [RecordedEvent(**{**msgspec.structs.asdict(line), "data": bytes(line.data)}) for line in decoded]
