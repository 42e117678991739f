"""Keeps an interval between small batches: a batch costs about the same with one event or many.

The first event after a pause does not wait, so an idle system is as fresh as without the interval.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from projector.kafka.batches import Records
from shared.ops.concurrency.waits import pause

SMALL_BATCH_RECORDS = 100


async def at_intervals(
    handle: Callable[[Records], Awaitable[None]], records: Records, seconds: float, stop: asyncio.Event
) -> None:
    """Handle the batch; after a small one return `seconds` after its beginning, or when `stop` is set."""
    began = time.monotonic()
    await handle(records)
    if len(records) < SMALL_BATCH_RECORDS:
        await pause(began + seconds - time.monotonic(), stop)
