"""An event store in memory, for tests of what stands above it; it passes the same suite as PostgreSQL's.

`before_append` lets a test do something between another command's load and its append.
"""

from collections.abc import Awaitable, Callable
from uuid import UUID

from command_api.domain.product import Reservation
from command_api.executing.ports import (
    NO_STREAM,
    Append,
    Appended,
    AppendOutcome,
    DuplicateKey,
    ReservationTaken,
    Session,
    StoredAnswer,
    StoreError,
    Stream,
    StreamPlace,
    VersionConflict,
)
from shared.contract.codec import decode_event, encode_event


class InMemoryEventStore:
    """Implements `ports.EventStore`; `failure`, where set, is raised by everything."""

    def __init__(self) -> None:
        self.appends: list[Append] = []
        self.before_append: Callable[[Append], Awaitable[None]] | None = None
        self.failure: StoreError | None = None
        self.session: Session | None = "first"
        self._streams: dict[UUID, Stream] = {}
        self._places: dict[UUID, list[StreamPlace]] = {}
        self._answers: dict[UUID, StoredAnswer] = {}
        self._reservations: dict[Reservation, UUID] = {}
        self._last_position = 0

    async def load(self, product_id: UUID, known: StreamPlace | None = None) -> Stream:
        self._fail()
        stream = self._streams.get(product_id)
        if stream is None:
            return NO_STREAM
        after = known.stream_version if known is not None and known in self._places[product_id] else 0
        # Through the codec, as from a database: nobody shares mutable values with the log.
        events = [decode_event(*encode_event(event)) for event in stream.events[after:]]
        return Stream(
            stream.stream_version, stream.last_position, events, after, self._places[product_id][-1]
        )

    async def append(self, append: Append) -> AppendOutcome:
        hook, self.before_append = self.before_append, None
        if hook is not None:
            await hook(append)
        self._fail()
        refusal = self._refusal(append)
        if refusal is not None:
            return refusal
        appended = self._write(append)
        if append.answer is not None:
            key, fingerprint, status, body = (
                append.answer.key,
                append.answer.fingerprint,
                append.answer.status,
                append.answer.body,
            )
            self._answers[key] = StoredAnswer(
                fingerprint, append.product_id, appended.stream_version, appended.last_position, status, body
            )
        self.appends.append(append)
        return appended

    async def find_answer(self, key: UUID) -> StoredAnswer | None:
        self._fail()
        return self._answers.get(key)

    async def find_holder(self, reservation: Reservation) -> UUID | None:
        self._fail()
        return self._reservations.get(reservation)

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure

    def _refusal(self, append: Append) -> AppendOutcome | None:
        if append.answer is not None and append.answer.key in self._answers:
            return DuplicateKey()
        if append.known_in not in (None, self.session):
            return VersionConflict(append.expected_version)
        current = self._streams.get(append.product_id, NO_STREAM).stream_version
        if current != append.expected_version:
            return VersionConflict(current)
        for claim in sorted(append.claims):
            if self._reservations.get(claim, append.product_id) != append.product_id:
                return ReservationTaken(claim)
        return None

    def _write(self, append: Append) -> Appended:
        if not append.events:
            return Appended(append.expected_version, append.last_position)
        self._last_position += len(append.events)
        before = self._streams.get(append.product_id, NO_STREAM)
        events = [*before.events, *(decode_event(*event.encoded) for event in append.events)]
        self._streams[append.product_id] = Stream(len(events), self._last_position, events)
        first = self._last_position - len(append.events) + 1
        self._places.setdefault(append.product_id, []).extend(
            StreamPlace(len(before.events) + number + 1, first + number, event.metadata)
            for number, event in enumerate(append.events)
        )
        for release in append.releases:
            if self._reservations.get(release) == append.product_id:
                del self._reservations[release]
        self._reservations |= dict.fromkeys(append.claims, append.product_id)
        return Appended(len(events), self._last_position)
