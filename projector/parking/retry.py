"""Retry and discard of a view's dead letters.

A retry holds the lock of the product's row, so an event that arrives meanwhile waits, and then finds the
product still parked or released. A dead letter is deleted in the transaction that applies its event.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, Protocol
from uuid import UUID

from projector.applying.batch import NOTHING
from projector.applying.dead_letters import Action, StoredDeadLetter
from projector.applying.ports import BatchWriter, Change, EventLog, Fold, Listener, S, View
from projector.applying.records import Delivered, ErrorClass, SourceRecord, Unreadable
from projector.applying.stream_fold import StreamFold
from projector.errors import LogLacksVersions, ProjectorError, Refused
from projector.parking.retry_spans import link_dead_letters
from shared.contract.recorded_event import RecordedEvent
from shared.ops.error_text import named
from shared.ops.logs import get_logger
from shared.telemetry.spans import present_span

_log = get_logger(__name__)
ReadRecord = Callable[[SourceRecord, UUID], Delivered | Unreadable]


class Released(NamedTuple):
    """`released` events are no longer parked, `left` are still parked; `cause`: why some are left."""

    released: int
    left: int
    cause: str | None = None


class CannotDiscard(Exception):
    """Without the event, the view could not apply the next version; the text says which version."""


class Retrying(Protocol):
    """Retry and discard of one projection: `Retry` for a view, and a class of its own for a side effect."""

    async def retry(self, product_id: UUID, action: Action, *, from_log: bool = False) -> Released: ...

    async def retry_single(
        self, dead_letter_id: int, action: Action, *, resend_unknown: bool = False
    ) -> Released: ...

    async def discard(self, product_id: UUID, action: Action, *, events: int | None = None) -> Released: ...

    async def discard_single(self, dead_letter_id: int, action: Action) -> Released: ...


class Retry(Generic[S]):
    """Retry and discard for one view."""

    def __init__(
        self,
        view: View[S],
        fold: Fold[S],
        log: EventLog,
        read_record: ReadRecord,
        listener: Listener[S] | None = None,
    ) -> None:
        self._view = view
        self._fold = fold
        self._log = log
        self._read_record = read_record
        self._listener = listener

    async def retry(self, product_id: UUID, action: Action, *, from_log: bool = False) -> Released:
        """Apply a product's dead letters, in order, up to the first that fails again.

        `from_log`: read the events from the log, if Kafka's records are damaged. Raises `Unavailable`.
        """
        log_id, span = await self._log.log_id(), present_span()
        try:
            async with self._view.begin({}) as writer:
                if not await writer.still_parked([product_id]):
                    return Released(0, 0)
                parked = await writer.parked(product_id)
                link_dead_letters(span, parked)
                released, change = await self._retry_locked(
                    writer, parked, product_id, log_id, action, from_log
                )
        except Refused as refusal:
            return await self._note_failure(product_id, "refused-by-store", str(refusal))
        except ProjectorError:
            raise
        except Exception as error:
            # As when it was parked: an unknown error belongs to this product, not to the command.
            _log.exception("a retry failed with an unknown error", product_id=str(product_id))
            return await self._note_failure(product_id, "unknown", named(error))
        await self._tell(change)
        return released

    async def retry_single(
        self, dead_letter_id: int, action: Action, *, resend_unknown: bool = False
    ) -> Released:
        """Read an unreadable record again; its event is in the view by now, or in the log.

        `resend_unknown` is for side effects; it has no meaning for a view.
        """
        log_id, span = await self._log.log_id(), present_span()
        async with self._view.begin({}) as writer:
            parked = await writer.parked_one(dead_letter_id)
            if parked is None:
                return Released(0, 0)
            link_dead_letters(span, [parked])
            read = self._read_record(parked, log_id)
            if isinstance(read, Unreadable):
                return Released(0, 1, read.cause)
            version, change = await self._catch_up(writer, read.event.product_id)
            if version < read.event.stream_version:
                return Released(0, 1, "the record is readable now, but the log has no such event: discard it")
            await writer.release([parked], action)
        await self._tell(change)
        return Released(1, 0)

    async def discard(self, product_id: UUID, action: Action, *, events: int | None = None) -> Released:
        """Give up the first `events` dead letters of a product (None: all). Raises `CannotDiscard`.

        If the log has the event, it is a version of the product: the view skips it, like an unknown
        type. If the log does not have it, it never happened, and only the dead letter is deleted.
        """
        async with self._view.begin({}) as writer:
            if not await writer.still_parked([product_id]):
                return Released(0, 0)
            parked = (await writer.parked(product_id))[:events]
            change = await self._skip(writer, product_id, parked)
            left = await writer.release(parked, action)
        await self._tell(change)
        return Released(len(parked), left)

    async def discard_single(self, dead_letter_id: int, action: Action) -> Released:
        """Give up one record that is parked alone."""
        async with self._view.begin({}) as writer:
            parked = await writer.parked_one(dead_letter_id)
            if parked is None:
                return Released(0, 0)
            await writer.release([parked], action)
            return Released(1, 0)

    async def _retry_locked(
        self,
        writer: BatchWriter[S],
        parked: Sequence[StoredDeadLetter],
        product_id: UUID,
        log_id: UUID,
        action: Action,
        from_log: bool,
    ) -> tuple[Released, Change[S] | None]:
        held = (await writer.held([product_id])).get(product_id, NOTHING)
        in_log = (await self._log.events_after({product_id: held.stream_version})).get(product_id, [])
        deliveries = self._deliveries(parked, log_id, in_log if from_log else ())
        stream = StreamFold(self._fold, held, Counter())
        error_class: ErrorClass = "unknown"
        cause = None
        try:
            failure = stream.run(deliveries, in_log, {})
        except LogLacksVersions as lacking:
            cause = str(lacking)
        else:
            if failure is not None:
                error_class, cause = failure.error_class, failure.cause
        change = stream.change()
        if change is not None:
            await writer.save([change])
        reached = change.stream_version if change is not None else held.stream_version
        done = [one for one in parked if (one.stream_version or 0) <= reached]
        left = await writer.release(done, action) if done else len(parked)
        if cause is not None:
            await writer.failed_again(product_id, error_class, cause)
        return Released(len(done), left, cause), change

    def _deliveries(
        self, parked: Sequence[StoredDeadLetter], log_id: UUID, in_log: Sequence[RecordedEvent]
    ) -> list[Delivered]:
        """The events of the dead letters; an event that `in_log` has is taken from there."""
        better = {event.stream_version: event for event in in_log}
        deliveries = []
        for one in parked:
            read = self._read_record(one, log_id)
            if isinstance(read, Delivered):
                event = better.get(read.event.stream_version, read.event)
                deliveries.append(read._replace(event=event))
        return deliveries

    async def _note_failure(self, product_id: UUID, error_class: ErrorClass, cause: str) -> Released:
        """In a separate transaction, because the failed one is rolled back."""
        async with self._view.begin({}) as writer:
            await writer.still_parked([product_id])
            await writer.failed_again(product_id, error_class, cause)
            return Released(0, len(await writer.parked(product_id)), cause)

    async def _catch_up(self, writer: BatchWriter[S], product_id: UUID) -> tuple[int, Change[S] | None]:
        """Apply the log's events of a product that is not parked; returns the version reached."""
        held = (await writer.held([product_id])).get(product_id, NOTHING)
        if await writer.still_parked([product_id]):
            return held.stream_version, None
        in_log = (await self._log.events_after({product_id: held.stream_version})).get(product_id, [])
        stream = StreamFold(self._fold, held, Counter())
        stream.run((), in_log, {})
        change = stream.change()
        if change is None:
            return held.stream_version, None
        await writer.save([change])
        return change.stream_version, change

    async def _tell(self, change: Change[S] | None) -> None:
        if change is not None and self._listener is not None:
            await self._listener.changed([change])

    async def _skip(
        self, writer: BatchWriter[S], product_id: UUID, parked: Sequence[StoredDeadLetter]
    ) -> Change[S] | None:
        held = (await writer.held([product_id])).get(product_id, NOTHING)
        in_log = (await self._log.events_after({product_id: held.stream_version})).get(product_id, [])
        happened = {event.metadata.event_id: event for event in in_log}
        version, state, position = held.stream_version, held.state, 0
        for one in parked:
            event = happened.get(one.event_id) if one.event_id is not None else None
            if event is None or event.stream_version <= version:
                continue
            if state is None or event.stream_version > version + 1:
                raise CannotDiscard(
                    f"the view is at version {version} of product {product_id} and cannot skip version "
                    f"{event.stream_version}: repair the cause and retry, or rebuild the view"
                )
            state = self._fold.skip(state, event)
            version, position = event.stream_version, event.log_position
        if version == held.stream_version:
            return None
        change = Change(product_id, version, position, held.state, state, state)
        await writer.save([change])
        return change
