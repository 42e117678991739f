"""How long changes are gathered before the live index commits them, while nobody waits for one.

A commit costs about the same with one change or a thousand, and after every eighth the engine merges the
segments of the last eight. So the interval doubles while changes do not end. A change after a pause is
committed at once.
"""

import math
import time
from collections.abc import Callable

from query_api.search.feed_limits import FeedLimits
from shared.ops.concurrency.burst_pace import BurstPace, Pauses


class CommitPace:
    """`clock` gives seconds."""

    def __init__(self, limits: FeedLimits, clock: Callable[[], float] = time.time) -> None:
        self._burst = BurstPace(Pauses(limits.commit_seconds, limits.commit_seconds_max))
        self._clock = clock
        self._committed_at = clock()
        self._news_at: float | None = None

    def due_in(self, seconds: float | None = None) -> float:
        """Seconds until the next commit; 0 or less: now. `seconds`: the interval while somebody waits."""
        interval = self._burst.seconds if seconds is None else min(seconds, self._burst.seconds)
        return interval - (self._clock() - self._committed_at)

    def since(self) -> float:
        """Seconds since the last commit, or the beginning."""
        return self._clock() - self._committed_at

    def has_news(self) -> None:
        """There is something to commit."""
        if self._news_at is None:
            self._news_at = self._clock()

    def committed(self) -> None:
        """A commit has ended."""
        news_at = math.inf if self._news_at is None else self._news_at
        self._burst.after_round(quiet_seconds=news_at - self._committed_at)
        self._committed_at, self._news_at = self._clock(), None
