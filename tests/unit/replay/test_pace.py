"""How fast a replay goes; time is a value here."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_api.replay.pace import Pace


def test_without_a_rate_nothing_waits_and_chunks_are_whole() -> None:
    pace = Pace()
    assert pace.turn_events_max(2000) == 2000
    assert [pace.wait_seconds(now, 2000) for now in (0.0, 0.0, 0.1)] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("rate", "turn"), [(100_000.0, 2000), (1000.0, 200), (50.0, 10), (5.0, 1), (1.0, 1), (0.1, 1)]
)
def test_a_turn_is_a_fifth_of_a_second_at_most_a_chunk_and_at_least_one_event(rate: float, turn: int) -> None:
    assert Pace(rate).turn_events_max(2000) == turn


def test_a_turn_waits_until_the_one_before_has_had_its_time() -> None:
    pace = Pace(100.0)
    assert pace.wait_seconds(10.0, 20) == 0.0
    assert pace.wait_seconds(10.05, 20) == pytest.approx(0.15)
    assert pace.wait_seconds(10.2, 1) == pytest.approx(0.2)
    assert pace.wait_seconds(10.41, 20) == 0.0


def test_a_stall_is_not_made_up_for_by_a_burst() -> None:
    pace = Pace(100.0)
    pace.wait_seconds(0.0, 20)
    assert pace.wait_seconds(60.0, 20) == 0.0
    assert pace.wait_seconds(60.0, 20) == pytest.approx(0.2)


def test_looking_at_a_stretch_without_events_costs_no_time() -> None:
    pace = Pace(1.0)
    pace.wait_seconds(0.0, 1)
    assert pace.wait_seconds(0.0, 0) == 0.0
    assert pace.wait_seconds(0.0, 1) == 1.0


@given(
    st.floats(0.1, 10_000), st.lists(st.tuples(st.floats(0, 2), st.integers(0, 50)), min_size=2, max_size=50)
)
def test_between_any_two_turns_the_rate_is_kept(rate: float, turns: list[tuple[float, int]]) -> None:
    """Whatever the sender does meanwhile: each turn is (seconds it dawdles first, events)."""
    pace, now = Pace(rate), 0.0
    sent: list[tuple[float, int]] = []
    for dawdled, events in turns:
        now += dawdled
        now += pace.wait_seconds(now, events)
        sent.append((now, events))
    for index, (began, _) in enumerate(sent):
        events_before = 0
        for later, events in sent[index:]:
            if events:  # what was sent from `began` on has had its time before this turn begins
                assert events_before <= rate * (later - began) * (1 + 1e-9) + 1e-6
            events_before += events
