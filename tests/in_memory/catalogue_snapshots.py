"""The port `Snapshots` in memory: the documents and the positions of the view, as they are at opening."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from query_api.applied import Applied
from query_api.errors import ReadModelBehind
from query_api.export.ports import Sink, Snapshot
from shared.contract.views import ProductDocument, encode_document

PIECE_LINES = 2


@dataclass
class InMemorySnapshots:
    """`documents` are all that are not deleted; `positions` are the checkpoints by partition."""

    partition_count: int = 12
    documents: dict[str, ProductDocument] = field(default_factory=dict)
    positions: dict[int, int] = field(default_factory=dict)
    parked_positions: list[int] = field(default_factory=list)
    opened: int = 0

    @asynccontextmanager
    async def open(
        self, statuses: tuple[str, ...], applied: Applied | None = None
    ) -> AsyncIterator[Snapshot]:
        if applied is not None and not applied.is_met_by(self.positions):
            raise ReadModelBehind("not applied")
        chosen = [one for _, one in sorted(self.documents.items()) if one.status in statuses]
        self.opened += 1
        try:
            yield _Snapshot(self._log_position(), [encode_document(one) + b"\n" for one in chosen])
        finally:
            self.opened -= 1

    def _log_position(self) -> int:
        is_complete = len(self.positions) == self.partition_count
        applied = min(self.positions.values()) if is_complete else 0
        return min([applied, *(position - 1 for position in self.parked_positions)])


class _Snapshot:
    def __init__(self, log_position: int, lines: list[bytes]) -> None:
        self.log_position = log_position
        self.product_count = len(lines)
        self._lines = lines

    async def send_documents(self, sink: Sink) -> None:
        for start in range(0, len(self._lines), PIECE_LINES):
            await sink(b"".join(self._lines[start : start + PIECE_LINES]))
