"""One product's events in a batch: new ones are folded in order, and parked from the first that fails."""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from typing import Generic, NamedTuple

from projector.applying.dead_letters import DeadLetter, ProductDeadLetter
from projector.applying.ports import Change, Fold, Held, S
from projector.applying.records import Delivered, ErrorClass
from projector.errors import HistoryDoesNotFold, LogLacksVersions
from shared.contract.codec import CodecError, UnknownSchemaVersion, decode_event
from shared.contract.recorded_event import RecordedEvent

Tally = Counter[tuple[str, str]]
"""(event type, applied | duplicate | skipped | gap_filled | parked) -> events."""

Failing = Mapping[tuple[int, int], tuple[ErrorClass, str]]
"""(partition, offset) -> why this event is parked without an attempt: the store has refused it."""


class Failure(NamedTuple):
    """`delivered` cannot be applied, and neither can the later events of its product."""

    delivered: Delivered
    error_class: ErrorClass
    cause: str


class CannotApply(Exception):
    """An event that is new and fits into its stream, but cannot be decoded or folded."""

    def __init__(self, error_class: ErrorClass, cause: str) -> None:
        super().__init__(cause)
        self.error_class: ErrorClass = error_class


class StreamFold(Generic[S]):
    """The state of one product within one call; never kept."""

    def __init__(self, fold: Fold[S], held: Held[S], tally: Tally) -> None:
        self._fold = fold
        self._held = held
        self._tally = tally
        self._version = held.stream_version
        self._state = held.state
        self._last = held.state
        self._log_position = 0

    def run(
        self, deliveries: Sequence[Delivered], missing: Sequence[RecordedEvent], failing: Failing
    ) -> Failure | None:
        """Apply the delivered events, and the log's events that are missing between and after them.

        Raises `LogLacksVersions` if neither has the next version.
        """
        waiting = deque(missing)
        for delivered in deliveries:
            stream_version = delivered.event.stream_version
            try:
                if failing and stream_version > self._version:
                    self._refuse_failing(delivered, failing)
                while waiting and waiting[0].stream_version < stream_version:
                    self._step(waiting.popleft(), "gap_filled", delivered)
                if waiting and waiting[0].stream_version == stream_version:
                    waiting.popleft()
                self._step(delivered.event, "applied", delivered)
            except CannotApply as error:
                return Failure(delivered, error.error_class, str(error))
        self._catch_up(waiting)
        return None

    def change(self) -> Change[S] | None:
        """What to save; None if nothing changed, or if the product has only events of unknown types."""
        if self._version == self._held.stream_version or self._last is None:
            return None
        return Change(
            self._product_id, self._version, self._log_position, self._held.state, self._state, self._last
        )

    def _catch_up(self, newer: Sequence[RecordedEvent]) -> None:
        """The log's events after the batch. One that fails is left out: Kafka will deliver it later."""
        for event in newer:
            if event.stream_version > self._version + 1:
                return
            try:
                self._step(event, "gap_filled", None)
            except CannotApply:
                return

    def _refuse_failing(self, delivered: Delivered, failing: Failing) -> None:
        refusal = failing.get((delivered.partition, delivered.offset))
        if refusal is not None:
            raise CannotApply(*refusal)

    def _step(self, event: RecordedEvent, result: str, delivered: Delivered | None) -> None:
        """One event; `delivered` is the record that an error is reported for."""
        if event.stream_version <= self._version:
            self._tally[event.event_type, "duplicate"] += 1
            return
        if event.stream_version > self._version + 1 and delivered is not None:
            cause = f"the log lacks version {self._version + 1} of product {event.product_id}"
            raise LogLacksVersions(delivered.partition, delivered.offset, cause)
        if event.event_type not in self._fold.event_types:
            result = "skipped"
            if self._state is not None:
                self._state = self._fold.skip(self._state, event)
        else:
            self._state = apply_one(self._fold, self._state, event)
        self._tally[event.event_type, result] += 1
        self._product_id = event.product_id
        self._version, self._log_position = event.stream_version, event.log_position
        if self._state is not None:
            self._last = self._state


def apply_one(fold: Fold[S], state: S | None, event: RecordedEvent) -> S | None:
    """The state after an event of a type that the fold uses. Raises `CannotApply`."""
    try:
        decoded = decode_event(event.event_type, event.schema_version, event.data)
        return fold.apply(state, decoded, event)
    except UnknownSchemaVersion as error:
        raise CannotApply("unknown-schema-version", str(error)) from error
    except CodecError as error:
        raise CannotApply("undecodable", f"{type(error).__name__}: {error}") from error
    except HistoryDoesNotFold as error:
        raise CannotApply("history-does-not-fold", str(error)) from error


def dead_letters_of(failure: Failure, deliveries: Sequence[Delivered], tally: Tally) -> list[DeadLetter]:
    """The event that failed, and its product's later ones."""
    event = failure.delivered.event
    tally[event.event_type, "parked"] += 1
    dead_letter = ProductDeadLetter(failure.delivered.record, event, failure.error_class, failure.cause)
    later = [one for one in deliveries if one is not failure.delivered]
    return [dead_letter, *followers(later, event.stream_version - 1, tally)]


def followers(deliveries: Sequence[Delivered], stream_version: int, tally: Tally) -> list[DeadLetter]:
    """The events above this version, to park behind the one that failed; the others are duplicates."""
    dead_letters: list[DeadLetter] = []
    for delivered in deliveries:
        event = delivered.event
        if event.stream_version > stream_version:
            tally[event.event_type, "parked"] += 1
            cause = "an earlier event of the product is parked"
            dead_letters.append(ProductDeadLetter(delivered.record, event, "follower", cause))
        else:
            tally[event.event_type, "duplicate"] += 1
    return dead_letters
