"""Rate limit buckets that several limiters of one test share, by the same rule as the script in Redis."""

from collections.abc import Callable, Sequence

from shared.rate_limits.budget import take
from shared.rate_limits.local import monotonic_us
from shared.rate_limits.ports import BucketsUnavailable, Taken, Wanted


class InMemoryBuckets:
    """Fake of `SharedBuckets`. `is_away`: every call fails."""

    def __init__(self, now_us: Callable[[], int] = monotonic_us) -> None:
        self._now_us = now_us
        self._full_at_us: dict[str, int] = {}
        self.is_away = False
        self.calls: list[Sequence[Wanted]] = []

    async def take(self, wanted: Sequence[Wanted]) -> Taken:
        self.calls.append(wanted)
        if self.is_away:
            raise BucketsUnavailable("away")
        now_us, before = self._now_us(), []
        for key, budget, requests in wanted:
            full_at_us = self._full_at_us.get(key, 0)
            before.append(min(max(full_at_us, now_us), now_us + budget.span_us))
            for _ in range(requests):
                _, full_at_us = take(budget, full_at_us, now_us)
            self._full_at_us[key] = full_at_us
        return Taken(now_us, before)
