"""When an index commits, and how many states at once.

A commit makes a segment, and each search pays for each segment: 15 µs for every column that it opens there,
as much as to count a few hundred products. tantivy makes one segment of eight that are alike in size. So an
index that catches up commits equal parts of what it has to read: 8, 64 or 512 of them.
"""

from math import ceil
from typing import NamedTuple

_ALIKE_SEGMENTS = 8


class FeedLimits(NamedTuple):
    """How long states are gathered before a commit, and how many; `idle` commits only move `saved_at` on.

    `commit_seconds_max` is the same while changes do not end.

    Until the end of the topic is reached, a commit has up to `catch_up_states_max`.

    `refresh_seconds` after a commit, and again after twice the time, and so on, searches begin to use
    segments that have become one since.

    `age_seconds_max`: after a longer time without a commit the index may lack deletions, whose tombstones the
    topic forgets.
    """

    commit_seconds: float = 0.25
    commit_seconds_max: float = 1.0
    awaited_commit_seconds: float = 0.02
    states_max: int = 5_000
    catch_up_states_max: int = 25_000
    bytes_max: int = 32 * 1024 * 1024
    idle_commit_seconds: float = 3600.0
    refresh_seconds: float = 5.0
    read_seconds_max: float = 0.5
    retry_seconds: float = 1.0
    silent_seconds_max: float = 5.0
    age_seconds_max: float = 3.5 * 24 * 3600

    def catch_up_states(self, offset_count: int) -> int:
        """How many states each commit has while so many offsets are read."""
        commits = 1
        while offset_count > commits * self.catch_up_states_max:
            commits *= _ALIKE_SEGMENTS
        return max(1, ceil(offset_count / commits))
