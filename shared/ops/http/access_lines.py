"""Limits the log lines about answered requests: under load they would be nearly all of a log and fill a disk.

Errors are always written. Warnings (503, and slow requests) have a limit of their own, so that usual
requests do not crowd them out, and an overload does not fill the disk. The metrics count all requests anyway.
"""

import time
from collections.abc import Callable

from shared.ops.logs import get_logger
from shared.ops.metrics.process import ACCESS_LINES_LEFT_OUT

# How often a line says how many were left out.
_REPORT_SECONDS = 10.0
_log = get_logger(__name__)


class AccessLines:
    """Of the requests of each second, the first `per_second_max` get a line at this level.

    `clock` gives monotonic seconds.
    """

    def __init__(
        self, level: str, per_second_max: int, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._level = level
        self._per_second_max = per_second_max
        self._clock = clock
        self._second = 0
        self._written = 0
        self._left_out = 0
        self._report_at = 0.0

    def allow(self) -> bool:
        """Whether the next line may be written. Now and then it says how many were not."""
        now = self._clock()
        if self._left_out and now >= self._report_at:
            _log.info(
                "request lines left out",
                lines=self._left_out,
                lines_level=self._level,
                lines_per_second_max=self._per_second_max,
            )
            self._left_out = 0
        if int(now) != self._second:
            self._second, self._written = int(now), 0
        if self._written < self._per_second_max:
            self._written += 1
            return True
        if not self._left_out:
            self._report_at = now + _REPORT_SECONDS
        self._left_out += 1
        ACCESS_LINES_LEFT_OUT.inc()
        return False
