"""The rule of a budget, with time as a value: never more than it says, and never less after a wait."""

from hypothesis import given
from hypothesis import strategies as st

from shared.rate_limits.budget import MICROSECONDS, Budget, take

budgets = st.builds(
    Budget,
    st.just("reads"),
    st.floats(0.01, 100_000, allow_nan=False),
    st.integers(1, 5000),
)
waits_us = st.lists(st.integers(0, 3 * MICROSECONDS), min_size=1, max_size=200)


@given(budgets, waits_us)
def test_in_no_stretch_of_time_is_more_allowed_than_the_burst_and_the_rate(
    budget: Budget, waits: list[int]
) -> None:
    full_at_us, now_us, allowed_at = 0, 10**15, []
    for wait_us in waits:
        now_us += wait_us
        decision, full_at_us = take(budget, full_at_us, now_us)
        if decision.is_allowed:
            allowed_at.append(now_us)
    for first, began_us in enumerate(allowed_at):
        for last in range(first, len(allowed_at)):
            refilled = (allowed_at[last] - began_us) // budget.interval_us
            assert last - first + 1 <= budget.burst_max + refilled


@given(budgets, waits_us)
def test_who_waits_as_long_as_told_is_allowed(budget: Budget, waits: list[int]) -> None:
    full_at_us, now_us = 0, 10**15
    for wait_us in waits:
        now_us += wait_us // 1000
        decision, full_at_us = take(budget, full_at_us, now_us)
        if not decision.is_allowed:
            now_us += decision.reset_seconds * MICROSECONDS
            decision, full_at_us = take(budget, full_at_us, now_us)
            assert decision.is_allowed


@given(budgets, waits_us)
def test_what_is_left_can_be_used_and_no_more(budget: Budget, waits: list[int]) -> None:
    full_at_us, now_us = 0, 10**15
    for wait_us in waits:
        now_us += wait_us
        decision, full_at_us = take(budget, full_at_us, now_us)
    for _ in range(decision.remaining):
        again, full_at_us = take(budget, full_at_us, now_us)
        assert again.is_allowed
    assert not take(budget, full_at_us, now_us)[0].is_allowed


@given(budgets, waits_us)
def test_after_the_reset_the_whole_budget_is_there_again(budget: Budget, waits: list[int]) -> None:
    full_at_us, now_us = 0, 10**15
    for wait_us in waits:
        now_us += wait_us
        decision, full_at_us = take(budget, full_at_us, now_us)
    if decision.is_allowed:
        after_us = now_us + decision.reset_seconds * MICROSECONDS
        assert take(budget, full_at_us, after_us)[0].remaining == budget.burst_max - 1


def test_a_refused_request_does_not_prolong_the_wait() -> None:
    budget = Budget("reads", 1.0, 1)
    _, full_at_us = take(budget, 0, 1_000_000)
    for _ in range(100):
        refused, full_at_us = take(budget, full_at_us, 1_500_000)
        assert (refused.is_allowed, refused.reset_seconds) == (False, 1)
    assert take(budget, full_at_us, 2_000_000)[0].is_allowed


def test_a_clock_that_is_set_back_costs_a_caller_one_empty_bucket_at_most() -> None:
    budget = Budget("reads", 1.0, 10)
    _, full_at_us = take(budget, 0, 10**15)
    an_hour_before = 10**15 - 3600 * MICROSECONDS
    refused, _ = take(budget, full_at_us, an_hour_before)
    assert (refused.is_allowed, refused.reset_seconds) == (False, 1)
