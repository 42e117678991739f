"""Measures for how long garbage collections stop the process.

A collection may begin inside any call, also while a metric's lock is held. So the collector's callback takes
no lock: it only notes the duration, and the event loop counts it a moment later.
"""

import asyncio
import gc
from collections import deque
from time import perf_counter

from shared.ops.concurrency.waits import pause, until_turn
from shared.ops.metrics.process import GARBAGE_COLLECTION_SECONDS

_COUNT_SECONDS = 1.0
# More in one second are dropped: then the process does nothing but collect.
_NOTED_MAX = 1_000
_observe = [GARBAGE_COLLECTION_SECONDS.labels(str(generation)).observe for generation in range(3)]


class GarbageWatch:
    """A callback of the collector, and the durations that are not counted yet."""

    def __init__(self) -> None:
        self._noted: deque[tuple[int, float]] = deque(maxlen=_NOTED_MAX)
        self._began = 0.0

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        """Called by the collector."""
        if phase == "start":
            self._began = perf_counter()
        else:
            self._noted.append((info["generation"], perf_counter() - self._began))

    def count(self) -> None:
        """Count what was noted since the last call."""
        for _ in range(len(self._noted)):
            generation, seconds = self._noted.popleft()
            _observe[generation](seconds)


async def watch_garbage(stop: asyncio.Event) -> None:
    """Until `stop`."""
    watch = GarbageWatch()
    gc.callbacks.append(watch)
    try:
        while not stop.is_set():
            await pause(until_turn(_COUNT_SECONDS), stop)
            watch.count()
    finally:
        gc.callbacks.remove(watch)
