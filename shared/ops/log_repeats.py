"""Thins out repeated log lines, so that a broker which is down for a night does not fill a disk.

They are lines of libraries, and our own about refused access. Without this the consumers of one projector
logged 445 lines per second (median), nearly all from six messages of a library.
"""

import logging
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from shared.ops.metrics.process import LOG_LINES_SUPPRESSED

# Messages that differ each time (formatted before they are logged) never repeat, and are forgotten.
_MESSAGES_MAX = 1_000
K = TypeVar("K", bound=Hashable)


class Repeats(Generic[K]):
    """Of the same line, the first `passes_max` in each interval pass. `clock` gives monotonic seconds."""

    def __init__(
        self,
        *,
        passes_max: int,
        interval_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._passes_max = passes_max
        self._interval_seconds = interval_seconds
        self._clock = clock
        self._seen: dict[K, tuple[float, int]] = {}

    def suppressed_before(self, line: K) -> int | None:
        """None if this line is suppressed; else the number of the same lines that were before it."""
        now, suppressed = self._clock(), 0
        began, count = self._seen.get(line, (now, 0))
        if now - began >= self._interval_seconds:
            suppressed = max(0, count - self._passes_max)
            began, count = now, 0
        elif count == 0 and len(self._seen) >= _MESSAGES_MAX:
            self._seen.clear()
        self._seen[line] = (began, count + 1)
        if count < self._passes_max:
            return suppressed
        LOG_LINES_SUPPRESSED.inc()
        return None


class RepeatFilter(logging.Filter):
    """`Repeats` for the standard library: the same warning or error of the same logger is a repeat.

    Records are the same if they have the same logger, level and template, whatever their arguments. The next
    one that passes has the number of suppressed ones in `suppressed`. Critical records, and those below
    warning, always pass.
    """

    def __init__(self, repeats: Repeats[tuple[str, int, str]]) -> None:
        super().__init__()
        self._repeats = repeats

    def filter(self, record: logging.LogRecord) -> bool:
        """False if the record is suppressed."""
        if not logging.WARNING <= record.levelno < logging.CRITICAL:
            return True
        suppressed = self._repeats.suppressed_before((record.name, record.levelno, str(record.msg)))
        if suppressed is None:
            return False
        if suppressed:
            record.suppressed = suppressed
        return True
