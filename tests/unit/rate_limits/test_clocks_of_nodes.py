"""Nodes of a cluster may have clocks that differ."""

from shared.rate_limits.redis import by_one_clock


def test_a_bucket_is_as_far_from_full_as_its_own_node_says() -> None:
    taken = by_one_clock([(1_000, 1_000), (5_000, 5_700), (100, 130)])
    assert taken.now_us == 1_000
    assert list(taken.full_at_us) == [1_000, 1_700, 1_030]
