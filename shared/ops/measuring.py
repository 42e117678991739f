"""Measures in the background what a scrape must not wait for: a query, a question to a broker, a file.

A scrape answers at once and never touches a server, so it works during the outage that it shall show. The
price is an age: `measured_timestamp_seconds` says when each measurement last succeeded, and its gauges keep
their last values until the next success.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from shared.ops.concurrency.waits import every, run_until
from shared.ops.error_text import named
from shared.ops.logs import get_logger
from shared.ops.metrics.process import MEASURED_TIMESTAMP_SECONDS, MEASUREMENT_FAILURES

_log = get_logger(__name__)


class Measurement(NamedTuple):
    """`take` sets gauges. It runs every `seconds`, and is cancelled after `seconds_max`."""

    name: str
    take: Callable[[], Awaitable[None]]
    seconds: float
    seconds_max: float


async def measure(stop: asyncio.Event, measurements: Sequence[Measurement]) -> None:
    """Take each of them until `stop`, which also ends one that is under way."""

    async def take_all() -> None:
        # Beside each other: one that hangs delays only itself.
        await asyncio.gather(*(every(one.seconds, stop, _Turns(one).turn) for one in measurements))

    await run_until(stop.wait(), take_all())


class _Turns:
    """One measurement over time. An outage is logged once, when it begins."""

    def __init__(self, measurement: Measurement) -> None:
        self._measurement = measurement
        self._measured_at = MEASURED_TIMESTAMP_SECONDS.labels(measurement.name)
        self._failures = MEASUREMENT_FAILURES.labels(measurement.name)
        self._fails = False

    async def turn(self) -> None:
        """Never raises: a gauge that cannot be measured must not end the process."""
        name, take, _, seconds_max = self._measurement
        try:
            async with asyncio.timeout(seconds_max):
                await take()
        except Exception as error:
            self._failures.inc()
            if not self._fails:
                _log.warning("measurement failed", measurement=name, error=named(error))
            self._fails = True
        else:
            self._fails = False
            self._measured_at.set(time.time())
