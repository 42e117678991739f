"""Measures how late the event loop runs its timers: a blocked loop delays every request at once."""

import asyncio
import time
from collections import deque

from shared.ops.concurrency.waits import pause, until_turn
from shared.ops.metrics.process import EVENT_LOOP_LAG_SECONDS

_SAMPLE_SECONDS = 0.25
_WINDOW_SAMPLES = 60


async def watch_event_loop(stop: asyncio.Event) -> None:
    """Measure until `stop`.

    The gauge has the longest delay of the last 15 s and not the last sample, because a scrape comes only
    every 15 to 30 s and would miss nearly every stall.
    """
    lags: deque[float] = deque(maxlen=_WINDOW_SAMPLES)
    while not stop.is_set():
        seconds = until_turn(_SAMPLE_SECONDS)
        due = time.monotonic() + seconds
        await pause(seconds, stop)
        if not stop.is_set():
            lags.append(max(0.0, time.monotonic() - due))
            EVENT_LOOP_LAG_SECONDS.set(max(lags))
