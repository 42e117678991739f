"""Applies one batch of events to one view: drop what it has, fill what Kafka lacks, fold, save.

Exactly once in effect: the view's own versions decide what is new, so duplicates, replays and re-ordered
deliveries change nothing; its checkpoint moves in the same transaction.
"""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from projector.ports import (
    Change,
    Checkpoint,
    Delivered,
    EventFailed,
    EventLog,
    Held,
    ListGenerations,
    Refused,
    Unavailable,
    View,
)
from projector.projections.product_document import HistoryDoesNotFold, apply_event, pass_over
from shared.contract.addresses import top_category
from shared.contract.codec import CodecError, UnknownEventType, decode_event
from shared.contract.recorded_event import RecordedEvent
from shared.contract.views import ProductDocument

_NOTHING = Held(0, None)
Tally = Counter[tuple[str, str]]
"""(event type, applied | duplicate | skipped | gap_filled) -> events."""


class Applied(NamedTuple):
    """What became of a batch; `failed` is the event it stopped before."""

    tally: Tally
    failed: EventFailed | None = None


class Projection:
    """One view, the log that fills its gaps, and the cached lists that its changes make stale."""

    def __init__(self, view: View, log: EventLog, lists: ListGenerations | None = None) -> None:
        self._view = view
        self._log = log
        self._lists = lists

    async def apply(self, batch: Sequence[Delivered]) -> Applied:
        """Apply all of it, or what comes before the first event that can never be applied.

        Raises `Fenced` and `Unavailable`: then a prefix of it may be applied, and doing it again is safe.
        """
        if not batch:
            return Applied(Counter())
        try:
            return await self._apply_whole(batch)
        except EventFailed as failure:
            before = await self.apply(batch[: failure.batch_index])
            return before if before.failed else before._replace(failed=failure)
        except Refused as refusal:
            return await self._halve(batch, refusal)

    async def _halve(self, batch: Sequence[Delivered], refusal: Refused) -> Applied:
        """The store does not say which of a batch's events it refuses: halving finds the first one."""
        if len(batch) == 1:
            failure = EventFailed(batch[0], 0, str(refusal))
            failure.__cause__ = refusal
            return Applied(Counter(), failure)
        half = len(batch) // 2
        first = await self.apply(batch[:half])
        if first.failed:
            return first
        second = await self.apply(batch[half:])
        if second.failed:
            second.failed.batch_index += half
        return Applied(first.tally + second.tally, second.failed)

    async def _apply_whole(self, batch: Sequence[Delivered]) -> Applied:
        by_product = _by_product(batch)
        async with self._view.begin(_reached(batch)) as writer:
            held = await writer.held(by_product.keys())
            missing = await self._missing(by_product, held, batch)
            tally: Tally = Counter()
            changes = []
            for product_id, indexes in by_product.items():
                fold = _Fold(held.get(product_id, _NOTHING), tally)
                fold.run(batch, indexes, missing.get(product_id, ()))
                change = fold.change()
                if change is not None:
                    changes.append(change)
            await writer.save(changes)
        if self._lists is not None and changes:
            await self._lists.bump(_touched(changes))
        return Applied(tally)

    async def _missing(
        self, by_product: Mapping[UUID, Sequence[int]], held: Mapping[UUID, Held], batch: Sequence[Delivered]
    ) -> Mapping[UUID, list[RecordedEvent]]:
        """Per product with a gap, all that the log has and the view has not.

        The newest versions come along, although Kafka will deliver them too: a view that lost a document
        (Redis was flushed) must not show an older one than it did.
        """
        gaps = {
            product_id: held.get(product_id, _NOTHING).stream_version
            for product_id, indexes in by_product.items()
            if _has_gap([batch[i].event.stream_version for i in indexes], held.get(product_id, _NOTHING))
        }
        if not gaps:
            return {}
        newest = await self._log.newest_position()
        furthest = max(batch[i].event.log_position for product_id in gaps for i in by_product[product_id])
        if newest < furthest:
            raise Unavailable(f"the log's replica is at {newest}, Kafka at {furthest}")
        return await self._log.events_after(gaps)


class _Fold:
    """One product's way through a batch. Local state of one call, never kept."""

    def __init__(self, held: Held, tally: Tally) -> None:
        self._held = held
        self._tally = tally
        self._version = held.stream_version
        self._document = held.document
        self._last: ProductDocument | None = held.document
        self._log_position = 0

    def run(
        self, batch: Sequence[Delivered], indexes: Sequence[int], missing: Sequence[RecordedEvent]
    ) -> None:
        """Apply what was delivered and, between and after it, what the log has. Raises `EventFailed`."""
        waiting = deque(missing)
        for index in indexes:
            stream_version = batch[index].event.stream_version
            while waiting and waiting[0].stream_version < stream_version:
                self._step(waiting.popleft(), batch, index, "gap_filled")
            if waiting and waiting[0].stream_version == stream_version:
                waiting.popleft()
            self._step(batch[index].event, batch, index, "applied")
        for newer in waiting:
            try:
                self._step(newer, batch, indexes[-1], "gap_filled")
            except EventFailed:
                # Not this batch's failure: Kafka will deliver that event, and it fails there.
                return

    def _step(self, event: RecordedEvent, batch: Sequence[Delivered], index: int, result: str) -> None:
        """One event; `index` is the delivered event that is to blame. Raises `EventFailed`."""
        if event.stream_version <= self._version:
            self._tally[event.event_type, "duplicate"] += 1
            return
        if event.stream_version > self._version + 1:
            cause = f"the log lacks version {self._version + 1} of product {event.product_id}"
            raise EventFailed(batch[index], index, cause)
        try:
            decoded = decode_event(event.event_type, event.schema_version, event.data)
        except UnknownEventType:
            result = "skipped"
            if self._document is not None:
                self._document = pass_over(self._document, event)
        except CodecError as error:
            raise EventFailed(batch[index], index, f"{type(error).__name__}: {error}") from error
        else:
            try:
                self._document = apply_event(self._document, decoded, event)
            except HistoryDoesNotFold as error:
                raise EventFailed(batch[index], index, str(error)) from error
        self._tally[event.event_type, result] += 1
        self._version, self._log_position = event.stream_version, event.log_position
        self._last = self._document or self._last

    def change(self) -> Change | None:
        """What to save: None when nothing moved, or when only unknown types are known of the product."""
        if self._version == self._held.stream_version or self._last is None:
            return None
        return Change(
            self._last.id,
            self._version,
            self._log_position,
            self._held.document,
            self._document,
            self._last,
        )


def _touched(changes: Sequence[Change]) -> set[str]:
    """The top-level categories that products left, entered, or changed in."""
    documents = (document for change in changes for document in (change.before, change.after) if document)
    return {top for top in (top_category(document.category) for document in documents) if top}


def _by_product(batch: Sequence[Delivered]) -> dict[UUID, list[int]]:
    """Indexes into the batch, per product and in stream order: a redelivery may have put v3 before v1."""
    by_product: dict[UUID, list[int]] = {}
    for index, delivered in enumerate(batch):
        by_product.setdefault(delivered.event.product_id, []).append(index)
    for indexes in by_product.values():
        if len(indexes) > 1:
            indexes.sort(key=lambda index: batch[index].event.stream_version)
    return by_product


def _has_gap(stream_versions: Sequence[int], held: Held) -> bool:
    """Whether these versions, in order, leave one out above what is held."""
    reached = held.stream_version
    for stream_version in stream_versions:
        if stream_version > reached + 1:
            return True
        reached = max(reached, stream_version)
    return False


def _reached(batch: Sequence[Delivered]) -> dict[int, Checkpoint]:
    """Per partition where the batch ends; dropped duplicates move the checkpoint too."""
    reached: dict[int, Checkpoint] = {}
    for partition, offset, event, log_id in batch:
        so_far = reached.get(partition)
        if so_far is None:
            reached[partition] = Checkpoint(offset + 1, event.log_position, log_id)
        elif offset >= so_far.next_offset or event.log_position > so_far.log_position:
            reached[partition] = Checkpoint(
                max(offset + 1, so_far.next_offset), max(event.log_position, so_far.log_position), log_id
            )
    return reached
