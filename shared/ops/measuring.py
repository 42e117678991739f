"""Measures in the background what a scrape must not wait for: a query, a question to a broker, a file.

A scrape answers at once and never touches a server, so it works during the outage that it shall show. The
price is an age: `measured_timestamp_seconds` says when each measurement last succeeded. A gauge tells the
truth or nothing: after three failures in a row its value is unknown. One slow answer ends no alert.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple

from shared.ops.concurrency.waits import every, run_until
from shared.ops.error_text import named
from shared.ops.logs import get_logger
from shared.ops.metrics.declare import Gauge
from shared.ops.metrics.process import MEASURED_TIMESTAMP_SECONDS, MEASUREMENT_FAILURES

FAILURES_MAX = 3
"""After so many in a row the values are unknown."""
_log = get_logger(__name__)


class Measurement(NamedTuple):
    """`take` sets gauges. It runs every `seconds`, and is cancelled after `seconds_max`. `forget` makes their
    values unknown.
    """

    name: str
    take: Callable[[], Awaitable[None]]
    seconds: float
    seconds_max: float
    forget: Callable[[], None]


def unknown(gauges: Iterable[Gauge]) -> None:
    """NaN instead of an old value."""
    for gauge in gauges:
        gauge.set(math.nan)


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
        self._failures_in_a_row = 0

    async def turn(self) -> None:
        """Never raises: a gauge that cannot be measured must not end the process."""
        name, take, _, seconds_max, forget = self._measurement
        try:
            async with asyncio.timeout(seconds_max):
                await take()
        except Exception as error:
            self._failures.inc()
            self._failures_in_a_row += 1
            if self._failures_in_a_row == 1:
                _log.warning("measurement failed", measurement=name, error=named(error))
            if self._failures_in_a_row == FAILURES_MAX:
                forget()
        else:
            self._failures_in_a_row = 0
            self._measured_at.set(time.time())
