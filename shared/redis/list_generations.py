"""Generations of cached lists: counters in Redis that never come to a number for the second time.

A counter that Redis has lost (a flush, an eviction) would begin at 1 again, and a page that a process has
kept since then would be taken for a page of now. So a counter begins at the time in microseconds: that is
above all numbers before, because Redis cannot increase a counter a million times in a second.
"""

import time


def first_number() -> int:
    """Set it if the counter does not exist (`SET … NX`), before it is read or increased."""
    return time.time_ns() // 1_000
