"""The newest state of one product, for a reader whose write no projection has applied yet: the cached
document, and the events after it from the log.

So the reader does not wait for the relay, Kafka and the projector. Marten calls it `FetchLatest`. Where the
log cannot tell, or not quickly, the reader waits for the projector.
"""

import asyncio
from collections.abc import Callable, Sequence
from time import monotonic
from uuid import UUID

import msgspec

from query_api.errors import Unavailable
from query_api.history.fold import Unreadable, next_document
from query_api.history.ports import StreamPages
from query_api.products.ports import ProductRow
from shared.contract.recorded_event import RecordedEvent
from shared.contract.views import ProductDocument, decode_document, encode_document
from shared.ops.breaker import CircuitBreaker
from shared.ops.metrics.reads import LATEST_READS

_NEWEST_VERSION = 2**31 - 1
_found, _absent, _failed = (LATEST_READS.labels(result).inc for result in ("found", "absent", "failed"))


class LatestFromLog:
    """Implements `products.ports.LatestProducts`. At most `events_max` events are folded; 0: the log is never
    asked. A log that does not answer within `seconds_max` is not asked for a while.
    """

    def __init__(
        self,
        log: StreamPages,
        *,
        events_max: int,
        seconds_max: float,
        breaker: CircuitBreaker,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._log = log
        self._events_max = events_max
        self._seconds_max = seconds_max
        self._breaker = breaker
        self._clock = clock

    async def at_least(
        self, product_id: UUID, stream_version: int, held: ProductRow | None
    ) -> ProductRow | None:
        version, document = _start(held)
        is_deleted = version > 0 and document is None
        if is_deleted or not 0 < stream_version - version <= self._events_max:
            return None
        if not self._breaker.allows(self._clock()):
            return None
        # The event that made the held document comes along: it says whether the document is of this log.
        events = await self._page(product_id, max(0, version - 1))
        if events is None:
            return None
        row = _row(product_id, version, document, events)
        if row is None or row.stream_version < stream_version:
            _absent()
            return None
        _found()
        return row

    async def _page(self, product_id: UUID, above_version: int) -> Sequence[RecordedEvent] | None:
        try:
            async with asyncio.timeout(self._seconds_max):
                events = await self._log.page(product_id, above_version, _NEWEST_VERSION)
        except (TimeoutError, Unavailable):
            self._breaker.record_failure(self._clock())
            _failed()
            return None
        self._breaker.record_success()
        return events


def _start(held: ProductRow | None) -> tuple[int, ProductDocument | None]:
    """The version to fold from, and its document; a document that this release cannot read counts as none."""
    if held is None or held.body is None:
        return (0 if held is None else held.stream_version), None
    try:
        return held.stream_version, decode_document(held.body)
    except msgspec.MsgspecError:
        return 0, None


def _row(
    product_id: UUID, version: int, document: ProductDocument | None, events: Sequence[RecordedEvent]
) -> ProductRow | None:
    """The row after the events; None if they do not continue the document, or cannot be folded."""
    if document is not None:
        if not events or not _made(events[0], version, document):
            return None
        events = events[1:]
    for event in events:
        if event.stream_version != version + 1:
            return None
        try:
            document = next_document(document, event)
        except Unreadable:
            return None  # the projector parks it, and says so
        version = event.stream_version
    return ProductRow(product_id, version, None if document is None else encode_document(document))


def _made(event: RecordedEvent, version: int, document: ProductDocument) -> bool:
    """Whether this event made the document: after a restore of the log, the cache may have a lost future."""
    return event.stream_version == version and event.recorded_at == document.updated_at
