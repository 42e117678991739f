"""Thins out repeated log lines of libraries, so that a broker which is down for a night does not fill a disk.

Without this the consumers of one projector logged 445 lines per second (median), nearly all from six
messages.
"""

import logging
import time
from collections.abc import Callable

from shared.ops.metrics.process import LOG_LINES_SUPPRESSED

# Messages that differ each time (formatted before they are logged) never repeat, and are forgotten.
_MESSAGES_MAX = 1_000


class RepeatFilter(logging.Filter):
    """Of the same warning or error, the first `passes_max` in each interval pass.

    Records are the same if they have the same logger, level and template, whatever their arguments. The next
    one that passes has the number of suppressed ones in `suppressed`. Critical records, and those below
    warning, always pass. `clock` gives monotonic seconds.
    """

    def __init__(
        self,
        *,
        passes_max: int,
        interval_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._passes_max = passes_max
        self._interval_seconds = interval_seconds
        self._clock = clock
        self._seen: dict[tuple[str, int, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """False if the record is suppressed."""
        if not logging.WARNING <= record.levelno < logging.CRITICAL:
            return True
        message, now = (record.name, record.levelno, str(record.msg)), self._clock()
        began, count = self._seen.get(message, (now, 0))
        if now - began >= self._interval_seconds:
            record.suppressed = max(0, count - self._passes_max)
            began, count = now, 0
        elif count == 0 and len(self._seen) >= _MESSAGES_MAX:
            self._seen.clear()
        self._seen[message] = (began, count + 1)
        if count < self._passes_max:
            return True
        LOG_LINES_SUPPRESSED.inc()
        return False
