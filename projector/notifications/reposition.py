"""Notifications as the subject of repositioning: events that Kafka never delivered send their mails now.

How far it was is what its consumers have reported, which is at most a second old: what was handled after that
comes again, and its claims keep every mail from being sent twice. Mails that waited in a retry topic for the
next attempt are tried at once, because that topic may be lost, too.

Where nothing was ever reported, nothing is known, and old events must send no mail: then nothing is applied.
So it is with a read model from a backup, whose claims of since then are lost: what waits in it may have been
sent. A record in a retry topic would send mails again to those who got theirs, so it is passed over, too.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from projector.applying.dead_letters import Action
from projector.applying.ports import EventLog
from projector.applying.records import MadeRecord
from projector.errors import CannotGoOn
from projector.kafka.work import Work
from projector.parking.log_records import made_record
from projector.reposition.ports import Known, Places
from projector.reposition.postgres.places import PostgresPlaces
from shared.contract.recorded_event import RecordedEvent

if TYPE_CHECKING:
    from projector.reposition.postgres.places import Connection

RetryEnds = Callable[[], Awaitable[Mapping[str, Mapping[int, int]]]]
"""Reads the ends of the retry topics: by topic and partition the offset after the last record."""


class WaitingMails(Protocol):
    """The mails that would be sent by themselves. Raises `Unavailable`."""

    async def unsent_events(self) -> Sequence[tuple[UUID, UUID]]:
        """(event id, product id) of each event with a mail that waits for another attempt."""

    async def discard_waiting(self, connection: "Connection") -> None:
        """All of them, in this transaction."""


class NotificationsSubject:
    """Implements `Subject`. `work` is that of the topic of all events."""

    def __init__(
        self,
        name: str,
        work: Work,
        log: EventLog,
        places: PostgresPlaces,
        mails: WaitingMails,
        retry_ends: RetryEnds,
        *,
        are_claims_lost: bool,
        topic: str,
        partition_count: int,
    ) -> None:
        self.name = name
        self._work = work
        self._log = log
        self._places = places
        self._mails = mails
        self._retry_ends = retry_ends
        self._are_claims_lost = are_claims_lost
        self._topic = topic
        self._partition_count = partition_count

    async def known(self) -> Known:
        """A partition in which it never had an event is as far as the others: it began with them."""
        await self._work.place(range(self._partition_count))
        reported = {at: position for at, position in (await self._places.reported()).items() if position}
        self._are_claims_lost |= not reported
        if self._are_claims_lost:
            reported = {}
        least = min(reported.values(), default=0) or await self._log.newest_position()
        return Known({at: reported.get(at, least) for at in range(self._partition_count)})

    async def apply(self, events: Sequence[RecordedEvent]) -> None:
        log_id = await self._log.log_id()
        left = [made_record(one, self._topic, self._partition_count, log_id) for one in events]
        log_ids = dict.fromkeys(range(self._partition_count), log_id)
        while left:
            left = await self._run(left, log_ids)

    async def place(self, places: Places, action: Action, detail: str) -> None:
        if self._are_claims_lost:
            await self._forget(places, action, detail)
            return
        waiting = await self._waiting()
        if waiting:
            await self.apply(waiting)
        await self._places.place(places, action, f"{detail}; {len(waiting)} mails tried again")

    async def _forget(self, places: Places, action: Action, detail: str) -> None:
        retry_topics = await self._retry_ends()

        async def forget(connection: "Connection") -> None:
            await self._mails.discard_waiting(connection)
            for topic, ends in retry_topics.items():
                await self._places.begin_at(topic, places._replace(next_offsets=ends))(connection)

        said = f"{detail}; no mail is sent about events before"
        await self._places.place(places, action, said, also=forget)

    async def _waiting(self) -> list[RecordedEvent]:
        unsent = await self._mails.unsent_events()
        if not unsent:
            return []
        wanted = {event_id for event_id, _ in unsent}
        stored = await self._log.events_after({product_id: 0 for _, product_id in unsent})
        found = [one for some in stored.values() for one in some if one.metadata.event_id in wanted]
        return sorted(found, key=lambda one: one.log_position)

    async def _run(self, records: Sequence[MadeRecord], log_ids: dict[int, UUID]) -> list[MadeRecord]:
        """Returns the records that its time did not suffice for."""
        outcome = await self._work.run(records, log_ids, asyncio.Event())
        for partition, stop in outcome.stopped.items():
            if stop.is_loud:
                raise CannotGoOn(f"{self.name}, partition {partition}: {stop.reason}")
        done = {(item.partition, item.offset) for item in outcome.done}
        return [one for one in records if (one.partition, one.offset) not in done]
