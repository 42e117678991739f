"""Takes parked events out again: tried once more in order, or given up by an operator who says why.

A product is drained under its row's lock, so that an event that arrives meanwhile waits, and then finds it
either still parked or free. What was tried and applied leaves the park in the transaction that applied it.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, Protocol
from uuid import UUID

from projector.applying.batch import NOTHING
from projector.applying.dead_letters import Action, ParkedEvent
from projector.applying.ports import BatchWriter, Change, EventLog, Fold, Listener, S, View
from projector.applying.records import Delivered, ErrorClass, SourceRecord, Unreadable
from projector.applying.stream_fold import StreamFold
from projector.errors import LogLacksVersions, ProjectorError, Refused
from shared.contract.recorded_event import RecordedEvent
from shared.ops.logs import get_logger

_log = get_logger(__name__)
ReadRecord = Callable[[SourceRecord, UUID], Delivered | Unreadable]


class Released(NamedTuple):
    """`released` events are out of the park, `left` are in it still; `cause` says why, where some are."""

    released: int
    left: int
    cause: str | None = None


class CannotDiscard(Exception):
    """Giving the event up would leave the view without a version to go on from; the text says which."""


class Retrying(Protocol):
    """Takes one projection's events out of the park: `Drain` of a view, or what a side effect has for it."""

    async def retry(self, product_id: UUID, action: Action, *, from_log: bool = False) -> Released: ...

    async def retry_single(
        self, parked_event_id: int, action: Action, *, resend_unknown: bool = False
    ) -> Released: ...

    async def discard(self, product_id: UUID, action: Action, *, events: int | None = None) -> Released: ...

    async def discard_single(self, parked_event_id: int, action: Action) -> Released: ...


class Retry(Generic[S]):
    """Of one projection."""

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
        """Apply what is parked of a product, in order, up to the first event that fails again.

        `from_log`: as the log has the events, where Kafka's copy of one was spoilt. Raises `Unavailable`.
        """
        log_id = await self._log.log_id()
        try:
            async with self._view.begin({}) as writer:
                if not await writer.still_parked([product_id]):
                    return Released(0, 0)
                parked = await writer.parked(product_id)
                drained, change = await self._retry_locked(
                    writer, parked, product_id, log_id, action, from_log
                )
        except Refused as refusal:
            return await self._note_failure(product_id, "refused-by-store", str(refusal))
        except ProjectorError:
            raise
        except Exception as error:
            # As when it was parked: an error that nobody foresaw is this product's, not the command's.
            _log.exception("an unknown error does not pass", product_id=str(product_id))
            return await self._note_failure(product_id, "unknown", f"{type(error).__name__}: {error}")
        await self._tell(change)
        return drained

    async def retry_single(
        self, parked_event_id: int, action: Action, *, resend_unknown: bool = False
    ) -> Released:
        """Read once more a record that was no event; what it was is in the view by now, or the log has it.

        `resend_unknown` is for side effects: of a view nothing is ever unknown.
        """
        log_id = await self._log.log_id()
        async with self._view.begin({}) as writer:
            parked = await writer.parked_one(parked_event_id)
            if parked is None:
                return Released(0, 0)
            read = self._read_record(parked, log_id)
            if isinstance(read, Unreadable):
                return Released(0, 1, read.cause)
            version, change = await self._catch_up(writer, read.event.product_id)
            if version < read.event.stream_version:
                return Released(0, 1, "it can be read now, but the log has no such event: discard it")
            await writer.release([parked], action)
        await self._tell(change)
        return Released(1, 0)

    async def discard(self, product_id: UUID, action: Action, *, events: int | None = None) -> Released:
        """Give up a product's first parked `events` (all: None). Raises `CannotDiscard`.

        One that the log has too is a version of the product: the view passes over it, as over a type that it
        does not know. One that the log does not have never happened, and is only forgotten.
        """
        async with self._view.begin({}) as writer:
            if not await writer.still_parked([product_id]):
                return Released(0, 0)
            parked = (await writer.parked(product_id))[:events]
            change = await self._pass_over(writer, product_id, parked)
            left = await writer.release(parked, action)
        await self._tell(change)
        return Released(len(parked), left)

    async def discard_single(self, parked_event_id: int, action: Action) -> Released:
        """Give up one record that is parked alone."""
        async with self._view.begin({}) as writer:
            parked = await writer.parked_one(parked_event_id)
            if parked is None:
                return Released(0, 0)
            await writer.release([parked], action)
            return Released(1, 0)

    async def _retry_locked(
        self,
        writer: BatchWriter[S],
        parked: Sequence[ParkedEvent],
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
        self, parked: Sequence[ParkedEvent], log_id: UUID, in_log: Sequence[RecordedEvent]
    ) -> list[Delivered]:
        """The parked records as events again; one that the log has is taken from there."""
        better = {event.stream_version: event for event in in_log}
        deliveries = []
        for one in parked:
            read = self._read_record(one, log_id)
            if isinstance(read, Delivered):
                event = better.get(read.event.stream_version, read.event)
                deliveries.append(read._replace(event=event))
        return deliveries

    async def _note_failure(self, product_id: UUID, error_class: ErrorClass, cause: str) -> Released:
        """In a transaction of its own: the one that failed is rolled back."""
        async with self._view.begin({}) as writer:
            await writer.still_parked([product_id])
            await writer.failed_again(product_id, error_class, cause)
            return Released(0, len(await writer.parked(product_id)), cause)

    async def _catch_up(self, writer: BatchWriter[S], product_id: UUID) -> tuple[int, Change[S] | None]:
        """Apply what the log has of a product that is not parked; answers the version reached."""
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

    async def _pass_over(
        self, writer: BatchWriter[S], product_id: UUID, parked: Sequence[ParkedEvent]
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
                    f"the view is at version {version} of product {product_id} and cannot pass over version "
                    f"{event.stream_version}: mend the cause and retry, or rebuild the view"
                )
            state = self._fold.pass_over(state, event)
            version, position = event.stream_version, event.log_position
        if version == held.stream_version:
            return None
        change = Change(product_id, version, position, held.state, state, state)
        await writer.save([change])
        return change
