"""A circuit breaker: a dead dependency costs one time-out now and then instead of one per request.

Pure: the caller passes the time (seconds of any monotonic clock), so tests need not wait. See Nygard,
"Release It!", chapter 5.
"""

from enum import Enum


class BreakerState(Enum):
    """closed: calls pass; open: calls are refused; half-open: one trial call decides."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class CircuitBreaker:
    """Opens after `failures_max` failures in a row, refuses for `open_seconds`, then lets one trial call
    through.

    Every call that `allows` let pass should report `record_success` or `record_failure`. A trial that never
    reports (its task was cancelled) does not lock the breaker: after another `open_seconds` the next trial
    may go.
    """

    def __init__(self, *, failures_max: int, open_seconds: float) -> None:
        if failures_max < 1 or open_seconds <= 0:
            raise ValueError("failures_max must be at least 1 and open_seconds positive")
        self._failures_max = failures_max
        self._open_seconds = open_seconds
        self._failures = 0
        self._trial_at: float | None = None
        self._trial_runs = False

    def state(self, now: float) -> BreakerState:
        """The state at `now`, without changing it: for a gauge and for tests."""
        if self._trial_at is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if now < self._trial_at else BreakerState.HALF_OPEN

    def allows(self, now: float) -> bool:
        """Whether a call may go now; in the half-open state one call per `open_seconds` may."""
        if self._trial_at is None:
            return True
        if now < self._trial_at:
            return False
        self._trial_at = now + self._open_seconds
        self._trial_runs = True
        return True

    def record_success(self) -> None:
        """The dependency answered: close, and reset the count of failures in a row."""
        self._failures = 0
        self._trial_at = None
        self._trial_runs = False

    def record_failure(self, now: float) -> None:
        """The dependency failed: the last allowed failure in a row, or a failed trial, opens the breaker.

        Calls that began before it opened report late; they must not delay the next trial.
        """
        self._failures += 1
        late = self._trial_at is not None and not self._trial_runs
        if self._failures >= self._failures_max and not late:
            self._trial_at = now + self._open_seconds
            self._trial_runs = False
