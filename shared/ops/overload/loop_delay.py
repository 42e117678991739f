"""Measures how long the event loop lets everything wait: requests whose bytes have arrived, timers, answers.

A loop with too much work has no queue that could be counted: each turn is long, and what has arrived waits
for the next one, in the kernel's buffers. A timer that is due waits in the same way: its delay is that wait.
"""

import asyncio

from shared.ops.overload.controlled_delay import StandingDelay

_SAMPLE_SECONDS = 0.05
# Without requests there is nobody to refuse, and a process that only takes samples still costs its wake-ups.
_SAMPLES_AFTER_A_REQUEST = 20


class LoopDelay:
    """Samples from `start` until `stop`, while requests come and for a second after the last one.

    One long turn (a garbage collection, a process that was paused) is one sample, and refuses nobody.
    """

    def __init__(self, *, target_seconds: float, interval_seconds: float) -> None:
        self._delay = StandingDelay(target_seconds, interval_seconds)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._samples_left = 0
        self.newest_seconds = 0.0

    def refuses(self) -> bool:
        """For each request: whether the loop is so late that more work would only be late, too."""
        self._samples_left = _SAMPLES_AFTER_A_REQUEST
        if self._timer is None and self._loop is not None:
            self._sample_later(self._loop)
        return self._delay.is_standing

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on, requests make it sample on this loop."""
        self._loop = loop

    def stop(self) -> None:
        """No more samples."""
        self._loop = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def note(self, delay_seconds: float, now_seconds: float) -> None:
        """One sample."""
        self.newest_seconds = delay_seconds
        self._delay.note(delay_seconds, now_seconds)

    def _sample_later(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(_SAMPLE_SECONDS, self._sample, loop, loop.time() + _SAMPLE_SECONDS)

    def _sample(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        now = loop.time()
        self.note(max(0.0, now - due), now)
        self._samples_left -= 1
        if self._samples_left > 0 or self._delay.is_above_target:
            self._sample_later(loop)
        else:
            self._timer, self.newest_seconds = None, 0.0
