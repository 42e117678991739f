"""Transient errors are tried again within the budget; all others, and a shutdown, end the waiting."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable

import pytest
from structlog.testing import capture_logs

from shared.ops.metrics.process import RETRIES
from shared.ops.retry import RetryPolicy, retry_transient

AT_ONCE = RetryPolicy("test-at-once", wait_seconds_initial=0, wait_seconds_max=0, budget_seconds=None)


def is_connection_error(error: BaseException) -> bool:
    return isinstance(error, ConnectionError)


def fails_times(count: int, error: type[Exception] = ConnectionError) -> Callable[[], Awaitable[int]]:
    """An operation that raises `count` times and then answers the number of the successful call."""
    calls = itertools.count(1)

    async def operation() -> int:
        call = next(calls)
        if call <= count:
            raise error(f"failure {call}")
        return call

    return operation


async def test_it_tries_until_the_operation_succeeds_and_counts_each_retry() -> None:
    counter = RETRIES.labels(AT_ONCE.name)
    before = counter._value.get()
    assert await retry_transient(AT_ONCE, fails_times(3), is_transient=is_connection_error) == 4
    assert counter._value.get() == before + 3


async def test_an_error_that_will_not_pass_is_raised_at_once() -> None:
    with pytest.raises(ValueError, match="failure 1"):
        await retry_transient(AT_ONCE, fails_times(9, ValueError), is_transient=is_connection_error)


async def test_a_used_up_budget_raises_the_last_error() -> None:
    policy = RetryPolicy("test-budget", 0, 0, budget_seconds=0)
    with pytest.raises(ConnectionError, match="failure 1"):
        await retry_transient(policy, fails_times(9), is_transient=is_connection_error)


async def test_a_shutdown_ends_a_long_wait_with_the_last_error() -> None:
    hours = RetryPolicy("test-stop", 1e4, 1e4, budget_seconds=None)
    stop, failed = asyncio.Event(), asyncio.Event()

    async def operation() -> None:
        failed.set()
        raise ConnectionError("still away")

    task = asyncio.create_task(retry_transient(hours, operation, is_transient=is_connection_error, stop=stop))
    await failed.wait()
    stop.set()
    with pytest.raises(ConnectionError, match="still away"):
        await task


async def test_after_a_shutdown_no_further_attempt_is_made() -> None:
    stop, attempts = asyncio.Event(), itertools.count(1)

    async def operation() -> None:
        if next(attempts) == 2:
            stop.set()
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await retry_transient(AT_ONCE, operation, is_transient=is_connection_error, stop=stop)
    assert next(attempts) == 3


async def test_a_cancellation_is_never_retried() -> None:
    async def operation() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await retry_transient(AT_ONCE, operation, is_transient=lambda _: True)


async def test_the_first_and_every_tenth_retry_are_logged() -> None:
    with capture_logs() as lines:
        await retry_transient(AT_ONCE, fails_times(25), is_transient=is_connection_error)
    assert [line["attempt"] for line in lines] == [1, 10, 20]
    assert lines[0]["error"] == "ConnectionError: failure 1"
