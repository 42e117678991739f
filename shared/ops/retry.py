"""Retries after transient errors: with full jitter, within a budget, and never past a shutdown.

Full jitter (a random wait from 0 to the exponential bound) spreads callers that lost the same server at the
same moment: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception
from tenacity.stop import StopBaseT, stop_after_delay, stop_never
from tenacity.wait import wait_random_exponential

from shared.ops.concurrency.waits import pause
from shared.ops.logs import get_logger
from shared.ops.metrics.process import RETRIES

T = TypeVar("T")

_LOG_EVERY_ATTEMPTS = 10
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to keep trying. `budget_seconds` counts from the first failure; None means without end.

    The budget decides whether another attempt starts. It does not end an attempt; the driver's time-out does.
    """

    name: str
    wait_seconds_initial: float
    wait_seconds_max: float
    budget_seconds: float | None


async def retry_transient(
    policy: RetryPolicy,
    operation: Callable[[], Awaitable[T]],
    *,
    is_transient: Callable[[BaseException], bool],
    stop: asyncio.Event | None = None,
) -> T:
    """Run `operation` until it returns, fails with a permanent error, the budget is used up, or `stop` is
    set; then it raises the last error.

    Every retry counts in `retries_total{policy}`; the first and every tenth are logged.
    """
    between = _Pause(policy, stop)
    try:
        # The first attempt nearly always succeeds, and this runs once per batch: tenacity would cost a tenth
        # of a millisecond.
        return await operation()
    except Exception as error:
        if not is_transient(error):
            raise
        first: Exception | None = error
    retrying = AsyncRetrying(
        retry=retry_if_exception(lambda error: isinstance(error, Exception) and is_transient(error)),
        wait=wait_random_exponential(multiplier=policy.wait_seconds_initial, max=policy.wait_seconds_max),
        stop=_budget(policy),
        before_sleep=between.begin,
        sleep=between.sleep,
        reraise=True,
    )

    async def attempt() -> T:
        nonlocal first
        if first is not None:
            error, first = first, None
            raise error
        return await operation()

    return await retrying(attempt)


def _budget(policy: RetryPolicy) -> StopBaseT:
    return stop_never if policy.budget_seconds is None else stop_after_delay(policy.budget_seconds)


class _Pause:
    """The wait between two attempts: counted, logged now and then, and ended by a shutdown."""

    def __init__(self, policy: RetryPolicy, stop: asyncio.Event | None) -> None:
        self._policy = policy
        self._stop = stop
        self._last_error: BaseException | None = None

    def begin(self, state: RetryCallState) -> None:
        self._last_error = state.outcome.exception() if state.outcome else None
        self._raise_if_stopped()
        RETRIES.labels(self._policy.name).inc()
        if state.attempt_number == 1 or state.attempt_number % _LOG_EVERY_ATTEMPTS == 0:
            _log.warning(
                "retrying after a transient error",
                policy=self._policy.name,
                attempt=state.attempt_number,
                pause_seconds=round(state.next_action.sleep, 3) if state.next_action else None,
                error=f"{type(self._last_error).__name__}: {self._last_error}",
            )

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds` or until the shutdown. A shutdown raises from here, because tenacity would start one
        more attempt.
        """
        if self._stop is None:
            await asyncio.sleep(seconds)
            return
        await pause(seconds, self._stop)
        self._raise_if_stopped()

    def _raise_if_stopped(self) -> None:
        if self._stop is not None and self._stop.is_set() and self._last_error is not None:
            raise self._last_error
