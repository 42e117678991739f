"""One batch from raw records to its effect, with the retries of each kind of error.

transient   retried at once, with jitter, until its budget ends; then the caller pauses and delivers it again
unknown     the same, shorter; then the batch is halved until one event is left, which is parked
permanent   parked at once, and no longer an error here
"""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from projector.applying.apply import Applied, Applier
from projector.applying.dead_letters import DeadLetter
from projector.applying.ports import Checkpoint
from projector.applying.records import Delivered, Unreadable
from projector.errors import ProjectorError, RedisIsAway, Unavailable
from projector.kafka.batch_spans import process_trace, record_parked
from projector.kafka.placement import Stop
from projector.kafka.records import Record, read_batch
from projector.kafka.work import Outcome
from projector.waiting import attempt_failed
from shared.kafka.cloud_event import headers_for_people
from shared.ops.logs import get_logger
from shared.ops.metrics.projections import ERRORS
from shared.ops.retry import RetryPolicy, retry_transient

if TYPE_CHECKING:
    from projector.kafka.metrics import ProjectionMetrics
    from projector.settings import ProjectorSettings

# With more, a line with every correlation id is too long to be useful, and too slow.
LOGGED_BATCH_EVENTS_MAX = 10
_log = get_logger(__name__)


class BatchRun:
    """A `Work`: applies batches of one projection, one at a time."""

    def __init__(
        self,
        name: str,
        settings: "ProjectorSettings",
        applier: Applier[Any],
        metrics: "ProjectionMetrics",
        *,
        revoked: Callable[[], None] = lambda: None,
    ) -> None:
        self._name = name
        self._applier = applier
        self._metrics = metrics
        waits = (settings.retry_wait_seconds_initial, settings.retry_wait_seconds_max)
        self._transient = RetryPolicy(f"{name}-transient", *waits, settings.retry_budget_seconds)
        self._unknown = RetryPolicy(f"{name}-unknown", *waits, settings.unknown_error_budget_seconds)
        self._stopped_seconds = settings.stopped_seconds
        self._revoked = revoked

    async def place(self, partitions: Collection[int]) -> Mapping[int, Checkpoint]:
        return await self._applier.place(partitions)

    def resumed(self) -> None:
        self._applier.breaker.reset()

    def revoked(self) -> None:
        """The successor's checkpoint fences a batch that is still running."""
        self._revoked()

    async def run(
        self, records: Sequence[Record], log_ids: Mapping[int, UUID], abandon: asyncio.Event
    ) -> Outcome:
        """Until the batch is done, its budget is used up, or `abandon` is set.

        Raises any `ProjectorError` but `Refused`, or the unknown error that fails even a single event;
        the same records may be run again.
        """
        started = time.perf_counter()
        self._metrics.delivered(records)
        batch = read_batch(records, log_ids)
        try:
            with process_trace(self._name, batch):
                applied = await self._apply(batch, abandon)
        except Exception as error:
            # Not if it is abandoned: another process has the partitions then, and says whether it waits.
            self._metrics.waits_for_redis(isinstance(error, RedisIsAway) and not abandon.is_set())
            raise
        finally:
            self._metrics.breaker(self._applier.breaker.is_open)
        self._metrics.waits_for_redis(False)
        if applied.stopped:
            batch = [item for item in batch if not _is_stopped(item, applied.stopped)]
        self._metrics.applied(batch, applied.tally, time.perf_counter() - started)
        self._tell(batch, applied)
        stops = {
            partition: Stop(offset, reason, self._stopped_seconds)
            for partition, (offset, reason) in applied.stopped.items()
        }
        return Outcome(batch, stops)

    async def _apply(self, batch: Sequence[Delivered | Unreadable], abandon: asyncio.Event) -> Applied:
        async def once() -> Applied:
            return await retry_transient(
                self._transient,
                lambda: self._applier.apply(batch),
                is_transient=self._is_transient,
                stop=abandon,
            )

        try:
            return await retry_transient(self._unknown, once, is_transient=self._is_unknown, stop=abandon)
        except ProjectorError:
            raise
        except Exception:
            if abandon.is_set():
                raise
            _log.exception("an unknown error lasts", projection=self._name, events=len(batch))
        return await self._applier.apply(batch, isolate=True)

    def _is_transient(self, error: BaseException) -> bool:
        if not isinstance(error, Unavailable):
            return False
        ERRORS.labels(self._name, "transient").inc()
        self._metrics.waits_for_redis(isinstance(error, RedisIsAway))
        attempt_failed(error)
        return True

    def _is_unknown(self, error: BaseException) -> bool:
        if not isinstance(error, Exception) or isinstance(error, ProjectorError):
            return False
        ERRORS.labels(self._name, "unknown").inc()
        attempt_failed(error)
        return True

    def _tell(self, batch: Sequence[Delivered | Unreadable], applied: Applied) -> None:
        for dead_letter in applied.dead_letters:
            tell_parked(self._name, dead_letter)
        if 0 < len(batch) <= LOGGED_BATCH_EVENTS_MAX:
            events = [item.event for item in batch if isinstance(item, Delivered)]
            _log.info(
                "projected",
                projection=self._name,
                results={" ".join(what): events for what, events in applied.tally.items()},
                product_ids=[str(event.product_id) for event in events],
                correlation_ids=[event.metadata.correlation_id for event in events],
            )


def tell_parked(projection: str, dead_letter: DeadLetter) -> None:
    """Logs and counts a parked record."""
    record, headers = dead_letter.record, headers_for_people(dead_letter.record.headers)
    ERRORS.labels(projection, dead_letter.error_class).inc()
    record_parked(projection, dead_letter, headers)
    write = _log.warning if dead_letter.error_class == "follower" else _log.error
    write(
        "event parked",
        projection=projection,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        product_id=(record.key or b"").decode("utf-8", "backslashreplace"),
        event_id=headers.get("ce_id"),
        event_type=headers.get("ce_type"),
        correlation_id=headers.get("ce_correlationid"),
        error_class=dead_letter.error_class,
        cause=dead_letter.cause,
    )


def _is_stopped(item: Delivered | Unreadable, stopped: Mapping[int, tuple[int, str]]) -> bool:
    at = stopped.get(item.partition)
    return at is not None and item.offset >= at[0]
