"""Catch-up: brings a shadow from its position to the end of the log, a stretch at a time."""

from collections import Counter
from collections.abc import Sequence
from typing import Generic, Protocol
from uuid import UUID

from projector.applying.batch import NOTHING, by_product
from projector.applying.ports import Change, Fold, S
from projector.applying.records import Delivered, SourceRecord
from projector.applying.stream_fold import StreamFold
from projector.errors import CannotGoOn, LogLacksVersions
from projector.rebuild.bulk_fold import Failed
from projector.rebuild.ports import Only, Shadow
from shared.contract.recorded_event import RecordedEvent

EVENTS_PER_STRETCH_MAX = 5_000


class LogReader(Protocol):
    """Reads the log forwards from a position."""

    async def newest_position(self) -> int: ...

    async def tail(self, after: int, upto: int, events_max: int) -> list[RecordedEvent]: ...


class CatchUp(Generic[S]):
    """Implements `CatchingUp`. `failed`: products whose history does not fold; they are skipped."""

    def __init__(
        self, log: LogReader, fold: Fold[S], shadow: Shadow[S], reached: int, failed: set[UUID]
    ) -> None:
        self.reached = reached
        self.failed = failed
        self._log = log
        self._fold = fold
        self._shadow = shadow

    async def newest(self) -> int:
        return await self._log.newest_position()

    async def apply(self, upto: int, only: Only | None = None) -> None:
        """An event that is applied already is dropped by its version."""
        position = self.reached
        while position < upto:
            events = await self._log.tail(position, upto, EVENTS_PER_STRETCH_MAX)
            position = events[-1].log_position if len(events) == EVENTS_PER_STRETCH_MAX else upto
            await self._apply(events if only is None else list(filter(only, events)), position, only is None)
            if only is None:
                self.reached = position

    async def _apply(self, events: Sequence[RecordedEvent], position: int, moves: bool) -> None:
        wanted = [_delivered(event) for event in events if event.product_id not in self.failed]
        products, _ = by_product(wanted)
        async with self._shadow.begin(position if moves else None) as writer:
            held = await writer.held(products.keys())
            changes: list[Change[S]] = []
            failures: dict[UUID, Failed] = {}
            for product_id, deliveries in products.items():
                holding = held.get(product_id, NOTHING)
                stream = StreamFold(self._fold, holding, Counter())
                failure = self._run(stream, deliveries)
                if failure is not None:
                    failures[product_id] = failure
                change = stream.change()
                if change is not None:
                    changes.append(change)
            if changes:
                await writer.save(changes)
            if failures:
                await writer.fail(failures)
        self.failed |= failures.keys()

    def _run(self, stream: StreamFold[S], deliveries: Sequence[Delivered]) -> Failed | None:
        try:
            failure = stream.run(deliveries, (), {})
        except LogLacksVersions as lacking:
            raise CannotGoOn(str(lacking)) from lacking
        if failure is None:
            return None
        return Failed(failure.delivered.event.stream_version, failure.error_class, failure.cause)


class _FromLog:
    """The record of an event that came from the log; it is never parked."""

    topic, partition, timestamp = "", 0, 0
    key = value = None
    headers: Sequence[tuple[str, bytes | None]] = ()

    def __init__(self, offset: int) -> None:
        self.offset = offset


def _delivered(event: RecordedEvent) -> Delivered:
    record: SourceRecord = _FromLog(event.log_position)
    return Delivered(0, event.log_position, event, UUID(int=0), record)
