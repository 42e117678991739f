"""When the search index commits while nobody waits: at once after a pause, else seldom."""

from query_api.search.commit_pace import CommitPace
from query_api.search.feed_limits import FeedLimits

LIMITS = FeedLimits(commit_seconds=1.0, commit_seconds_max=4.0)


class _World:
    """A pace with a clock of its own."""

    def __init__(self, limits: FeedLimits = LIMITS) -> None:
        self.now = 100.0
        self.pace = CommitPace(limits, lambda: self.now)

    def changed(self, after: float) -> float:
        """A change comes so many seconds after the last commit. Returns after how many it is committed."""
        began = self.now
        self.now += after
        self.pace.has_news()
        self.now += max(0.0, self.pace.due_in())
        self.pace.committed()
        return self.now - began


def test_while_changes_do_not_end_the_interval_doubles_up_to_the_longest() -> None:
    world = _World()
    assert [world.changed(after=0.25) for _ in range(5)] == [1.0, 2.0, 4.0, 4.0, 4.0]


def test_a_change_after_a_pause_is_committed_at_once_and_the_interval_is_short_again() -> None:
    world = _World()
    for _ in range(5):
        world.changed(after=0.25)
    assert world.changed(after=4.0) == 4.0
    assert world.changed(after=0.5) == 1.0


def test_a_change_that_comes_later_than_the_interval_is_committed_at_once() -> None:
    assert _World().changed(after=1.5) == 1.5


def test_an_interval_for_readers_that_wait_is_never_longer_than_the_own_one() -> None:
    pace = _World().pace
    assert pace.due_in(0.25) == 0.25
    assert pace.due_in(9.0) == 1.0


def test_a_longest_interval_below_the_shortest_means_that_it_never_grows() -> None:
    world = _World(LIMITS._replace(commit_seconds_max=0.5))
    assert [world.changed(after=0.25) for _ in range(3)] == [1.0, 1.0, 1.0]


def test_a_commit_without_news_leaves_the_interval_short() -> None:
    world = _World()
    world.pace.committed()
    assert world.changed(after=0.25) == 1.0
