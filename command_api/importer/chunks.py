"""Splits the products of a file into requests."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from command_api.importer.answers import Operation, upsert
from command_api.importer.client import REQUEST_BYTES_MAX
from command_api.importer.source import Candidate, Rejection

OPERATIONS_PER_REQUEST = 200
BYTES_PER_REQUEST = 4 * 1024 * 1024


@dataclass
class Chunk:
    """The products of one request and their operations, in the same order."""

    candidates: list[Candidate] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    size_bytes: int = 0

    def add(self, candidate: Candidate, operation: Operation) -> None:
        self.candidates.append(candidate)
        self.operations.append(operation)
        self.size_bytes += len(operation.line)

    def has_room_for(self, operation: Operation) -> bool:
        fits = self.size_bytes + len(operation.line) <= BYTES_PER_REQUEST
        return not self.operations or (fits and len(self.operations) < OPERATIONS_PER_REQUEST)


def chunks(source: Iterable[Candidate | Rejection], refuse: Callable[[Rejection], None]) -> Iterator[Chunk]:
    """The products of `source` in their order; `refuse` gets the rejections, and products too large for a
    request.
    """
    chunk = Chunk()
    for read in source:
        if isinstance(read, Rejection):
            refuse(read)
            continue
        operation = upsert(read.product)
        if len(operation.line) > REQUEST_BYTES_MAX:
            size = f"{len(operation.line):,} bytes, more than the {REQUEST_BYTES_MAX:,} of a request"
            refuse(Rejection(read.line, f"{read.lines}: the product has {size}", read.original))
            continue
        if not chunk.has_room_for(operation):
            yield chunk
            chunk = Chunk()
        chunk.add(read, operation)
    if chunk.operations:
        yield chunk
