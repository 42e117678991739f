"""One batch from raw records to its effect: read, apply with patience, tell."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from projector.apply import Applied, Projection
from projector.kafka.records import FailedRecord, Record, read_batch
from projector.ports import Delivered, Unavailable
from shared.ops.logs import get_logger
from shared.ops.retry import RetryPolicy, retry_transient

if TYPE_CHECKING:
    from projector.kafka.progress import Progress
    from projector.settings import ProjectorSettings

# Above this a line with every correlation id is longer than it is useful, and too slow.
LOGGED_BATCH_EVENTS_MAX = 10
_log = get_logger(__name__)


class Outcome(NamedTuple):
    """What is applied, and the record that could not be, if any."""

    applied: Sequence[Delivered]
    failed: FailedRecord | None


class BatchRun:
    """Applies batches of one projection, one at a time."""

    def __init__(
        self, name: str, settings: "ProjectorSettings", projection: Projection, progress: "Progress"
    ) -> None:
        self._name = name
        self._projection = projection
        self._progress = progress
        self._retry = RetryPolicy(
            f"projector-{name}",
            settings.retry_wait_seconds_initial,
            settings.retry_wait_seconds_max,
            settings.retry_budget_seconds,
        )

    async def run(
        self, records: Sequence[Record], log_ids: Mapping[int, UUID], abandon: asyncio.Event
    ) -> Outcome:
        """Retries while a server is away, until the budget is used up or `abandon` is set.

        Raises `Unavailable` then, and `Fenced`; the same records may be given again.
        """
        started = time.perf_counter()
        batch, failed = read_batch(records, log_ids)
        applied = await retry_transient(
            self._retry,
            lambda: self._projection.apply(batch),
            is_transient=lambda error: isinstance(error, Unavailable),
            stop=abandon,
        )
        if applied.failed is not None:
            failed = FailedRecord(records[applied.failed.batch_index], str(applied.failed))
            batch = batch[: applied.failed.batch_index]
        self._progress.applied(applied.tally, time.perf_counter() - started)
        self._tell(batch, applied)
        return Outcome(batch, failed)

    def _tell(self, batch: Sequence[Delivered], applied: Applied) -> None:
        if 0 < len(batch) <= LOGGED_BATCH_EVENTS_MAX:
            _log.info(
                "projected",
                projection=self._name,
                results={" ".join(what): events for what, events in applied.tally.items()},
                product_ids=[str(one.event.product_id) for one in batch],
                correlation_ids=[one.event.metadata.correlation_id for one in batch],
            )
