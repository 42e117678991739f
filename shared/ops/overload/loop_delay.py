"""Measures how long the event loop lets everything wait: requests whose bytes have arrived, timers, answers.

A loop with too much work has no queue that could be counted: each turn is long, and what has arrived waits
for the next one, in the kernel's buffers. A timer that is due waits in the same way: its delay is that wait.
"""

import asyncio

from shared.ops.overload.controlled_delay import StandingDelay

_SAMPLE_SECONDS = 0.05


class LoopDelay:
    """Samples from `start` until `stop`.

    One long turn (a garbage collection, a process that was paused) is one sample, and refuses nobody.
    """

    def __init__(self, *, target_seconds: float, interval_seconds: float) -> None:
        self._delay = StandingDelay(target_seconds, interval_seconds)
        self._timer: asyncio.TimerHandle | None = None
        self.newest_seconds = 0.0

    @property
    def refuses(self) -> bool:
        """Whether the loop is so late that more work would only be late, too."""
        return self._delay.is_standing

    def start(self) -> None:
        """Sample on the running loop."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_SAMPLE_SECONDS, self._sample, loop, loop.time() + _SAMPLE_SECONDS)

    def stop(self) -> None:
        """Stop sampling."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def note(self, delay_seconds: float, now_seconds: float) -> None:
        """One sample."""
        self.newest_seconds = delay_seconds
        self._delay.note(delay_seconds, now_seconds)

    def _sample(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        now = loop.time()
        self.note(max(0.0, now - due), now)
        self._timer = loop.call_later(_SAMPLE_SECONDS, self._sample, loop, now + _SAMPLE_SECONDS)
