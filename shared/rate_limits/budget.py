"""A budget: how fast requests of one kind may come. Pure: GCRA, the generic cell rate algorithm.

A budget is a bucket of `burst_max` requests that refills at `per_second_max`. GCRA keeps one number for each
bucket: the moment at which it will be full again. All times are whole microseconds, so that this function and
the script in Redis (`take.lua`) decide the same. Source: ITU-T I.371; Brandur Leach, "Rate limiting, cells,
and GCRA".
"""

from dataclasses import dataclass
from functools import cached_property
from math import ceil

MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class Budget:
    """At most `burst_max` requests at once, and `per_second_max` in the long run."""

    name: str
    per_second_max: float
    burst_max: int

    @cached_property
    def interval_us(self) -> int:
        """The time in which one request of the bucket comes back."""
        return max(1, round(MICROSECONDS / self.per_second_max))

    @cached_property
    def span_us(self) -> int:
        """The time in which an empty bucket becomes full."""
        return self.interval_us * self.burst_max


@dataclass(frozen=True, slots=True)
class Decision:
    """`reset_seconds`: until the whole budget is available again or, for a refused request, until the next
    one is allowed.
    """

    is_allowed: bool
    remaining: int
    reset_seconds: int


def take(budget: Budget, full_at_us: int, now_us: int) -> tuple[Decision, int]:
    """Decide about one request, and the moment at which the bucket is full afterwards.

    `full_at_us` is that moment before: anything in the past for a full bucket. A refused request changes
    nothing, so a caller that keeps trying waits no longer than one that does not.
    """
    interval_us, span_us = budget.interval_us, budget.span_us
    # No further ahead than an empty bucket: Redis' clock may have been set back, or the budget made smaller.
    full_at_us = min(max(full_at_us, now_us), now_us + span_us)
    after_us = full_at_us + interval_us
    missing_us = after_us - now_us - span_us
    if missing_us > 0:
        return Decision(False, 0, ceil(missing_us / MICROSECONDS)), full_at_us
    remaining = (span_us - (after_us - now_us)) // interval_us
    return Decision(True, remaining, ceil((after_us - now_us) / MICROSECONDS)), after_us
