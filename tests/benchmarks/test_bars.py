"""A bar is as long as its value says."""

from tests.benchmarks.bars import WIDTH_MAX, bar_lines


def test_bars_have_one_scale_and_stand_below_each_other() -> None:
    lines = bar_lines("ms", [("relay", [("before", 2.0), ("now", 1.0)]), ("API", [("before", 0.5)])])
    assert lines == [
        "```text",
        "ms",
        f"relay  before  {'█' * WIDTH_MAX} 2.00",
        f"       now     {'█' * (WIDTH_MAX // 2)} 1.00",
        f"API    before  {'█' * (WIDTH_MAX // 4)} 0.50",
        "```",
    ]


def test_a_small_value_is_seen_and_none_is_not() -> None:
    lines = bar_lines("ms", [("PostgreSQL", [("a", 100.0), ("b", 0.01), ("c", 0.0)])])
    assert lines[3:5] == ["            b  ▏ 0.01", "            c   0.00"]


def test_without_values_there_is_only_the_title() -> None:
    assert bar_lines("ms", []) == ["```text", "ms", "```"]
