"""Libraries that complain at every attempt, in moderation: a broker that is away for a night fills no disk.

The consumers of one projector logged 445 lines in a median second meanwhile, nearly all of six messages.
"""

import logging
import time
from collections.abc import Callable

from shared.ops.metrics import LOG_LINES_SUPPRESSED

# Messages that differ each time (text put together before it is logged) never repeat, and are forgotten.
_MESSAGES_MAX = 1_000


class RepeatFilter(logging.Filter):
    """Of the same warning or error, the first `passes_max` in each interval pass.

    The same is what has one logger, level and template, whatever was put in. The next that passes after some
    did not has `suppressed`: how many. What is critical, or below a warning, always passes. `clock` gives
    monotonic seconds.
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
        """False for one too many."""
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
