"""Work that a process repeats beside its task. It may fail, and ends neither the process nor itself.

An error that ended it would be worse than the error: the work would stop for good without a sign, or take the
process with it, which then starts, fails and ends again and again. So each error is logged, counted and told
to readiness, and the next turn comes as usual. `upkeep_last_success_timestamp_seconds` shows the neglect.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from shared.ops.concurrency.waits import every
from shared.ops.error_text import named
from shared.ops.logs import get_logger
from shared.ops.metrics.process import UPKEEP_FAILURES, UPKEEP_LAST_SUCCESS_TIMESTAMP_SECONDS

_FAILURES_PER_LOG_LINE = 10
_log = get_logger(__name__)


class Upkeep:
    """`work` runs every `seconds`. `is_outage`: errors that end by themselves; others are bugs."""

    def __init__(
        self,
        name: str,
        work: Callable[[], Awaitable[object]],
        seconds: float,
        *,
        is_outage: Callable[[Exception], bool] = lambda _: False,
    ) -> None:
        self._name = name
        self._work = work
        self._seconds = seconds
        self._is_outage = is_outage
        self._failures = 0
        self.reason: str | None = None
        """Why the last turn failed; None: it succeeded, or there was none yet."""
        self._succeeded_at = UPKEEP_LAST_SUCCESS_TIMESTAMP_SECONDS.labels(name)
        self._failed = UPKEEP_FAILURES.labels(name)
        # From the start on: an upkeep that never succeeds gets old, too.
        self._succeeded_at.set(time.time())

    async def run(self, stop: asyncio.Event) -> None:
        """The first turn at once, then until `stop`. Raises nothing."""
        await every(self._seconds, stop, self.turn)

    async def turn(self) -> None:
        """One turn; its error is logged when the failures begin, and each tenth time."""
        try:
            await self._work()
        except Exception as error:
            self._failed.inc()
            self.reason = named(error)
            if self._failures % _FAILURES_PER_LOG_LINE == 0:
                is_outage = self._is_outage(error)
                write = _log.warning if is_outage else _log.error
                write("upkeep failed", upkeep=self._name, error=self.reason, exc_info=not is_outage)
            self._failures += 1
        else:
            if self._failures:
                _log.info("upkeep succeeds again", upkeep=self._name)
            self._failures, self.reason = 0, None
            self._succeeded_at.set(time.time())
