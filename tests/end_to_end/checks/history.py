"""The event log for the checks: its rows, and every product after each of its events."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from tests.end_to_end.fold import Document, fold


@dataclass(frozen=True)
class Logged:
    """One row of the event log."""

    position: int
    product_id: str
    stream_version: int
    event_type: str
    schema_version: int
    data: bytes
    metadata: dict[str, Any]
    recorded_at: datetime


class History:
    """A log without gaps, folded by `tests/end_to_end/fold.py`. Documents have two fields more than the
    contract's: `id`, and `position`, of the event that made them; `status` may be `deleted`.
    """

    def __init__(self, log: Sequence[Logged], log_id: str) -> None:
        self.log = log
        self.log_id = log_id

    def states(self) -> Iterator[tuple[Logged, Document]]:
        """Every event, in the log's order, with its product's document after it."""
        documents: dict[str, Document] = {}
        for event in self.log:
            after = fold(
                documents.get(event.product_id), event.event_type, json.loads(event.data),
                event.stream_version, event.recorded_at,
            )  # fmt: skip
            document = {**after, "id": event.product_id, "position": event.position}
            documents[event.product_id] = document
            yield event, document

    @cached_property
    def newest(self) -> dict[str, Document]:
        """Product id -> its document after all its events."""
        return {event.product_id: document for event, document in self.states()}

    @cached_property
    def live(self) -> dict[str, Document]:
        """The same without the deleted ones."""
        return {key: each for key, each in self.newest.items() if each["status"] != "deleted"}
