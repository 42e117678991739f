"""The breaker opens after failures in a row, and one trial decides when it closes."""

import pytest

from shared.ops.breaker import BreakerState, CircuitBreaker


def opened(at: float = 0.0) -> CircuitBreaker:
    breaker = CircuitBreaker(failures_max=3, open_seconds=10)
    for _ in range(3):
        breaker.record_failure(at)
    return breaker


def test_it_stays_closed_below_the_limit_of_failures() -> None:
    breaker = CircuitBreaker(failures_max=3, open_seconds=10)
    breaker.record_failure(0)
    breaker.record_failure(0)
    assert breaker.allows(0)
    assert breaker.state(0) is BreakerState.CLOSED


def test_a_success_between_failures_starts_the_count_anew() -> None:
    breaker = CircuitBreaker(failures_max=2, open_seconds=10)
    breaker.record_failure(0)
    breaker.record_success()
    breaker.record_failure(0)
    assert breaker.allows(0)


def test_it_refuses_while_it_is_open() -> None:
    breaker = opened(at=5)
    assert breaker.state(14.9) is BreakerState.OPEN
    assert not breaker.allows(14.9)


def test_half_open_lets_exactly_one_trial_through() -> None:
    breaker = opened(at=0)
    assert breaker.state(10) is BreakerState.HALF_OPEN
    assert [breaker.allows(10), breaker.allows(10), breaker.allows(11)] == [True, False, False]


def test_a_successful_trial_closes_it() -> None:
    breaker = opened(at=0)
    assert breaker.allows(10)
    breaker.record_success()
    assert breaker.state(10) is BreakerState.CLOSED
    assert breaker.allows(10)
    assert breaker.allows(10)


def test_a_failed_trial_opens_it_for_the_full_time_again() -> None:
    breaker = opened(at=0)
    assert breaker.allows(10)
    breaker.record_failure(12)
    assert not breaker.allows(21.9)
    assert breaker.allows(22)


def test_a_trial_that_never_reports_does_not_lock_it() -> None:
    breaker = opened(at=0)
    assert breaker.allows(10)
    assert not breaker.allows(19.9)
    assert breaker.allows(20)


def test_late_failures_of_calls_begun_before_it_opened_do_not_keep_it_open() -> None:
    breaker = opened(at=0)
    breaker.record_failure(9)
    assert breaker.allows(10)


@pytest.mark.parametrize(("failures_max", "open_seconds"), [(0, 1.0), (1, 0.0)])
def test_a_limit_without_meaning_is_refused(failures_max: int, open_seconds: float) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        CircuitBreaker(failures_max=failures_max, open_seconds=open_seconds)
