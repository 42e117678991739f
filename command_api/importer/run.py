"""The use case: read products, send them in batches, settle each one's status, count what happened.

A few requests are under way at a time. A slug occurs once in a source, so no two operations on one
product ever are. Memory: the products of those requests, whatever the size of the file.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from command_api.importer.answers import ItemAnswer, Operation, upsert
from command_api.importer.client import REQUEST_BYTES_MAX, BatchClient
from command_api.importer.settle import settle
from command_api.importer.source import Candidate, Rejection
from command_api.importer.summary import Outcome, Summary

OPERATIONS_PER_REQUEST = 200
BYTES_PER_REQUEST = 4 * 1024 * 1024
REQUESTS_IN_FLIGHT_MAX = 4

Reject = Callable[[Rejection], None]


@dataclass
class Chunk:
    """The products of one request, each beside its operation."""

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


async def import_products(
    source: Iterable[Candidate | Rejection],
    api: BatchClient,
    summary: Summary,
    reject: Reject,
    progress: Callable[[int], object],
) -> None:
    """Loads everything that `source` yields; `progress` is called with the products done since.

    Raises what stops an import (`errors`); `summary` then holds what was done until there.
    """

    def refuse(rejection: Rejection) -> None:
        reject(rejection)
        summary.rejected += 1

    slots = asyncio.Semaphore(REQUESTS_IN_FLIGHT_MAX)

    async def deliver(chunk: Chunk) -> None:
        try:
            await _deliver(chunk, api, summary, refuse)
            progress(len(chunk.candidates))
        finally:
            slots.release()

    try:
        async with asyncio.TaskGroup() as requests:
            for chunk in _chunks(source, refuse):
                await slots.acquire()
                requests.create_task(deliver(chunk))
    except ExceptionGroup as failures:
        # The first failure cancelled the rest: it alone is the user's news.
        raise failures.exceptions[0] from None


def _chunks(source: Iterable[Candidate | Rejection], refuse: Reject) -> Iterator[Chunk]:
    chunk = Chunk()
    for read in source:
        if isinstance(read, Rejection):
            refuse(read)
            continue
        operation = upsert(read.product)
        if len(operation.line) > REQUEST_BYTES_MAX:
            reason = f"larger than {REQUEST_BYTES_MAX} bytes, the limit of a request"
            refuse(Rejection(read.line, reason, read.original))
            continue
        if not chunk.has_room_for(operation):
            yield chunk
            chunk = Chunk()
        chunk.add(read, operation)
    if chunk.operations:
        yield chunk


async def _deliver(chunk: Chunk, api: BatchClient, summary: Summary, refuse: Reject) -> None:
    answers = await api.send(chunk.operations)
    accepted: list[tuple[Candidate, ItemAnswer]] = []
    for candidate, answer in zip(chunk.candidates, answers, strict=True):
        if answer.accepted:
            accepted.append((candidate, answer))
        else:
            refuse(Rejection(candidate.line, answer.reason, candidate.original))
    settled = await settle([(candidate.wanted_status, answer) for candidate, answer in accepted], api)
    for (candidate, loaded), last in zip(accepted, settled, strict=True):
        if last.accepted:
            summary.count(_outcome(loaded, last))
        else:
            reason = f"loaded, but it could not be made {candidate.wanted_status}: {last.reason}"
            refuse(Rejection(candidate.line, reason, candidate.original))


def _outcome(loaded: ItemAnswer, last: ItemAnswer) -> Outcome:
    if loaded.created:
        return "created"
    if loaded.changed or last.stream_version != loaded.stream_version:
        return "changed"
    return "updated_or_unchanged" if loaded.changed is None else "unchanged"
