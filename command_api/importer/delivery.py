"""Sends the products of one request, sets the status of each, and counts the results."""

from collections.abc import Callable
from dataclasses import dataclass, field

from command_api.importer.answers import ItemAnswer
from command_api.importer.chunks import Chunk
from command_api.importer.client import BatchClient
from command_api.importer.reasons import explained
from command_api.importer.settle import settle
from command_api.importer.source import Candidate, Rejection
from command_api.importer.summary import Outcome, Summary

Reject = Callable[[Rejection], None]
LineOf = Callable[[str], int | None]


@dataclass
class Delivered:
    """The result of one request: how many products were loaded, and which wait for a SKU of another
    product.
    """

    loaded_count: int = 0
    taken: list[tuple[Candidate, ItemAnswer]] = field(default_factory=list)


class Delivery:
    """The objects that all requests of one run share."""

    def __init__(self, api: BatchClient, summary: Summary, reject: Reject, line_of: LineOf) -> None:
        self.api = api
        self._summary = summary
        self._reject = reject
        self._line_of = line_of

    def refuse(self, rejection: Rejection) -> None:
        self._reject(rejection)
        self._summary.rejected += 1

    def refuse_as(self, candidate: Candidate, answer: ItemAnswer, more: str = "") -> None:
        """Rejects a product that the API refused; the reason uses the column names and lines of the file."""
        reason = explained(answer, candidate, self._line_of) + more
        self.refuse(_rejection(candidate, reason))

    async def send(self, chunk: Chunk) -> Delivered:
        """Sends a request. Returns the products whose SKU another one holds as waiting; counts all others."""
        answers = await self.api.send(chunk.operations)
        delivered = Delivered()
        accepted: list[tuple[Candidate, ItemAnswer]] = []
        for candidate, answer in zip(chunk.candidates, answers, strict=True):
            if answer.accepted:
                accepted.append((candidate, answer))
            elif answer.conflicts:
                delivered.taken.append((candidate, answer))
            else:
                self.refuse_as(candidate, answer)
        delivered.loaded_count = len(accepted)
        await self._settle(accepted)
        return delivered

    async def _settle(self, accepted: list[tuple[Candidate, ItemAnswer]]) -> None:
        wanted = [(candidate.wanted_status, answer) for candidate, answer in accepted]
        for (candidate, loaded), last in zip(accepted, await settle(wanted, self.api), strict=True):
            if last.accepted:
                self._summary.count(_outcome(loaded, last))
                self._note(candidate, loaded)
            else:
                texts = explained(last, candidate, self._line_of)
                reason = f"loaded, but it could not be made {candidate.wanted_status}: {texts}"
                self.refuse(_rejection(candidate, reason))

    def _note(self, candidate: Candidate, loaded: ItemAnswer) -> None:
        summary, slug = self._summary, str(candidate.product.get("slug"))
        if candidate.handle is not None:
            summary.made_slugs.add(f"{candidate.handle} -> {slug}")
        if candidate.is_unlisted:
            summary.unlisted.add(slug)
        if candidate.wanted_status == "draft" and loaded.product_status in ("active", "archived"):
            summary.drafts_left_as_they_are.add(f"{slug}: {loaded.product_status}")
        if candidate.wanted_status is None and loaded.created:
            summary.created_without_status.add(slug)


def _rejection(candidate: Candidate, reason: str) -> Rejection:
    slug = candidate.product.get("slug")
    key = slug if isinstance(slug, str) else None
    return Rejection(candidate.line, reason, candidate.original, str(candidate.lines), key)


def _outcome(loaded: ItemAnswer, last: ItemAnswer) -> Outcome:
    if loaded.created:
        return "created"
    if loaded.changed or last.stream_version != loaded.stream_version:
        return "changed"
    return "updated_or_unchanged" if loaded.changed is None else "unchanged"
