"""Turns the records of one topic into mails: the events, or those in a retry topic.

First the events for digests are stored, in one transaction. The others become single mails.

The effects of a record come before the record counts as done: mails are sent and their claims settled, then
copies for a later attempt are confirmed by the broker, then dead letters are parked. A crash in between
repeats all of it, and the claims prevent duplicate mails.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from projector.applying.batch import refuse_other_logs
from projector.applying.dead_letters import DeadLetter, OpenParking, ParkedProducts
from projector.applying.parking_breaker import ParkingBreaker
from projector.applying.ports import Checkpoint
from projector.applying.records import Delivered, Unreadable
from projector.errors import Unavailable
from projector.kafka.batch_run import tell_parked
from projector.kafka.batch_spans import process_trace
from projector.kafka.placement import Stop
from projector.kafka.records import Record, read_one
from projector.kafka.work import Outcome
from projector.notifications.gather import Gatherer
from projector.notifications.kafka.batch import (
    MILLISECONDS,
    Handled,
    copies_of,
    dead_letters_of,
    finished,
    log_attempts,
    or_raised,
    result_of,
    split_due,
    tally_of,
)
from projector.notifications.kafka.past_events import PastEvents, Reported
from projector.notifications.kafka.retry_topics import Attempt, RetryTopics, attempt_of, first_attempt
from projector.notifications.notify import Done, Hopeless, Notifier, Unfinished
from projector.notifications.text import EVENT_TYPES
from projector.waiting import attempt_failed
from shared.kafka.cloud_event import is_replay
from shared.ops.logs import get_logger
from shared.ops.metrics.projections import ERRORS
from shared.ops.retry import RetryPolicy, retry_transient

if TYPE_CHECKING:
    from projector.kafka.metrics import ProjectionMetrics
    from projector.settings import ProjectorSettings

_log = get_logger(__name__)


class Tools(NamedTuple):
    """Shared by the runs of all topics."""

    settings: "ProjectorSettings"
    notifier: Notifier
    gatherer: Gatherer
    retries: RetryTopics
    open_parking: OpenParking
    breaker: ParkingBreaker


class NotificationRun:
    """A `Work`. `stage`: how many delays its topic's records have had. `reported`: by partition the log
    position up to which all is handled. `clock`: seconds since 1970.
    """

    def __init__(
        self,
        name: str,
        tools: Tools,
        parked_products: ParkedProducts,
        metrics: "ProjectionMetrics",
        *,
        stage: int,
        reported: Reported | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        settings = tools.settings
        self._name = name
        self._tools = tools
        self._parked_products = parked_products
        self._metrics = metrics
        self._stage = stage
        self._clock = clock
        self._ordered: dict[tuple[int, int], str] = {}
        self._past_events = PastEvents(None if stage else reported)
        self._limit = asyncio.Semaphore(settings.notification_connections_max)
        waits = (settings.retry_wait_seconds_initial, settings.retry_wait_seconds_max)
        self._transient = RetryPolicy(f"{name}-transient", *waits, settings.retry_budget_seconds)

    async def place(self, partitions: Collection[int]) -> Mapping[int, Checkpoint]:
        """No checkpoints: the committed offset is the position, and the claims make duplicates safe."""
        await self._tools.retries.ensure()
        places = await self._parked_products.places(partitions)
        self._ordered = {at: why for at, why in self._ordered.items() if at[0] not in partitions}
        self._ordered |= places.ordered
        await self._past_events.begin()
        return {}

    def resumed(self) -> None:
        self._tools.breaker.reset()

    def revoked(self) -> None:
        """The claims keep the successor from mails that are being sent."""

    async def run(
        self, records: Sequence[Record], log_ids: Mapping[int, UUID], abandon: asyncio.Event
    ) -> Outcome:
        """Raises a `ProjectorError`; mails that were sent before it have their claims."""
        started = time.perf_counter()
        self._metrics.delivered(records)
        due, stops = split_due(records, self._past, self._clock() * MILLISECONDS)
        items = [read_one(record, log_ids[record.partition]) for record in due]
        refuse_other_logs(
            [one for one in items if isinstance(one, Unreadable) and not is_replay(one.record.headers)]
        )
        with process_trace(self._name, items):
            done = await self._work(due, items, stops, abandon)
        self._tell(done, time.perf_counter() - started)
        self._past_events.handled([one.item for one in done])
        return Outcome([one.item for one in done], stops)

    async def _work(
        self,
        due: Sequence[Record],
        items: Sequence[Delivered | Unreadable],
        stops: dict[int, Stop],
        abandon: asyncio.Event,
    ) -> list[Handled]:
        gathered = await self._gather(due, items, abandon)
        until = time.monotonic() + self._tools.settings.notification_batch_seconds_max

        def is_time_up() -> bool:
            return abandon.is_set() or time.monotonic() > until

        outcomes = await asyncio.gather(
            *(
                self._handle(record, item, gathered, is_time_up, abandon)
                for record, item in zip(due, items, strict=True)
            ),
            return_exceptions=True,
        )
        done = finished(map(or_raised, outcomes), stops, self._tools.settings.stopped_seconds)
        # Dead letters first: if they are refused, the batch is repeated, and would send its copies again.
        await self._park(dead_letters_of(done, self._past, is_last=self._is_last))
        await self._put_off(done)
        return done

    async def _gather(
        self, records: Sequence[Record], items: Sequence[Delivered | Unreadable], abandon: asyncio.Event
    ) -> Collection[UUID]:
        """The events that go into digests. A delayed record is a single mail already."""
        events = [
            item.event for record, item in zip(records, items, strict=True)
            if isinstance(item, Delivered) and not self._past_events.have(record, item)
            and (record.partition, record.offset) not in self._ordered
        ]  # fmt: skip
        if self._stage or not events:
            return ()
        return await retry_transient(
            self._transient,
            lambda: self._tools.gatherer.gather(events),
            is_transient=self._is_transient,
            stop=abandon,
        )

    def _past(self, record: Record) -> Attempt:
        return attempt_of(record) if self._stage else first_attempt(record)

    @property
    def _is_last(self) -> bool:
        return self._stage >= len(self._tools.retries.delays)

    async def _handle(
        self,
        record: Record,
        item: Delivered | Unreadable,
        gathered: Collection[UUID],
        is_time_up: Callable[[], bool],
        abandon: asyncio.Event,
    ) -> Handled:
        if self._past_events.have(record, item):
            return Handled(record, item, Done(0), "replay" if is_replay(record.headers) else "nothing-new")
        ordered = self._ordered.get((record.partition, record.offset))
        if ordered is not None:
            return Handled(record, item, Hopeless("ordered", f"ordered by an operator: {ordered}"), "parked")
        if isinstance(item, Unreadable):
            return Handled(record, item, Hopeless(item.error_class, item.cause), "parked")
        if item.event.event_type not in EVENT_TYPES:
            return Handled(record, item, Done(0), "skipped")
        event = item.event
        if event.metadata.event_id in gathered:
            return Handled(record, item, Done(0), "gathered")
        async with self._limit:
            if is_time_up():
                return Handled(record, item, Unfinished(), "")
            verdict = await retry_transient(
                self._transient,
                lambda: self._tools.notifier.notify(event, is_time_up=is_time_up),
                is_transient=self._is_transient,
                stop=abandon,
            )
        return Handled(record, item, verdict, result_of(verdict))

    def _is_transient(self, error: BaseException) -> bool:
        if not isinstance(error, Unavailable):
            return False
        ERRORS.labels(self._name, "transient").inc()
        attempt_failed(error)
        return True

    async def _park(self, dead_letters: Sequence[DeadLetter]) -> None:
        """Raises `ParkingIsFull`."""
        breaker = self._tools.breaker
        try:
            breaker.check(len(dead_letters))
        finally:
            self._metrics.breaker(breaker.is_open)
        if not dead_letters:
            return
        async with self._tools.open_parking() as parking:
            await parking.park(dead_letters)
        breaker.parked(len(dead_letters))
        for dead_letter in dead_letters:
            tell_parked(self._name, dead_letter)

    async def _put_off(self, done: Sequence[Handled]) -> None:
        """To the topic of the next delay. Raises `Unavailable`."""
        if not self._is_last:
            delay = self._tools.retries.delays[self._stage]
            not_before_ms = int((self._clock() + delay.seconds) * MILLISECONDS)
            await self._tools.retries.send(self._stage, copies_of(done, self._past, not_before_ms))

    def _tell(self, done: Sequence[Handled], seconds: float) -> None:
        log_attempts(self._name, done)
        self._metrics.applied([one.item for one in done], tally_of(done), seconds)
