"""Sorts the events of a batch: those for digests, and those for single mails.

This costs a few statements for each batch of any size, and reads no product's history.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from projector.applying.ports import EventLog
from projector.errors import Unavailable
from projector.notifications.digest_ports import Pacing
from projector.notifications.pace import Telling
from projector.notifications.text import EVENT_TYPES, kind_of
from shared.contract.codec import CodecError, decode_event
from shared.contract.recorded_event import RecordedEvent
from shared.telemetry import conventions as c
from shared.telemetry.spans import SpanKind
from shared.telemetry.tracing import span


class Gatherer:
    """For the recipients of one installation."""

    def __init__(self, pacing: Pacing, log: EventLog, recipients: Sequence[str]) -> None:
        self._pacing = pacing
        self._log = log
        self._recipients = recipients

    async def gather(self, events: Sequence[RecordedEvent]) -> Collection[UUID]:
        """The ids of the events that need nothing more, because they are in digests. Raises `Unavailable`.

        The others become single mails, which also finds out which of them are wrong.
        """
        tellings = {one.event_id: one for event in events if (one := _telling(event)) is not None}
        # A creation is accepted as it is; any other event must be in the log, or it sends no mail.
        checked = [
            one for one in events
            if one.metadata.event_id in tellings and tellings[one.metadata.event_id].kind != "product-created"
        ]  # fmt: skip
        for event_id in await self._missing(checked):
            del tellings[event_id]
        if not tellings:
            return ()
        with span(c.GATHER, SpanKind.CLIENT, {c.DB_SYSTEM: c.POSTGRESQL}):
            return await self._pacing.plan(list(tellings.values()), self._recipients)

    async def _missing(self, events: Sequence[RecordedEvent]) -> set[UUID]:
        """The ids of the events that the log does not have.

        Only for those that were not found does it matter how far the log's replica is; then they are read
        again, because it may have got them meanwhile.
        """
        if not events or not await self._not_found(events):
            return set()
        newest, reached = await self._log.newest_position(), max(one.log_position for one in events)
        if newest < reached:
            raise Unavailable(f"the log's replica is at {newest}, Kafka at {reached}")
        return await self._not_found(events)

    async def _not_found(self, events: Sequence[RecordedEvent]) -> set[UUID]:
        before: dict[UUID, int] = {}
        for one in events:
            before[one.product_id] = min(
                before.get(one.product_id, one.stream_version), one.stream_version - 1
            )
        stored = await self._log.events_after(before)
        known = {one.metadata.event_id for some in stored.values() for one in some}
        return {one.metadata.event_id for one in events} - known


def _telling(event: RecordedEvent) -> Telling | None:
    """None: it sends no mail, or it cannot be read."""
    if event.event_type not in EVENT_TYPES:
        return None
    try:
        kind = kind_of(decode_event(event.event_type, event.schema_version, event.data))
    except (CodecError, ArithmeticError):
        return None
    if kind is None:
        return None
    metadata = event.metadata
    return Telling(metadata.event_id, event.product_id, kind, event.log_position, metadata.import_id)
