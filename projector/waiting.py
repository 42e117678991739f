"""What a projection waits for, and since when: for `status` and for readiness.

A server that hangs takes connections and answers nothing. An error comes only when a time-out ends, and the
next attempt begins at once: looked at between two errors, such a projection seems to run. So adapters note
what they ask (`asking`), and attempts that failed are remembered until one succeeds.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import NamedTuple

from projector.errors import CannotGoOn, Fenced, ProjectorError
from shared.ops.error_text import named

TOLD_AFTER_SECONDS = 5.0
"""A large batch, a deadlock or a moved checkpoint may take some seconds, and is no reason to look."""


class _Since(NamedTuple):
    """`at`: seconds since 1970."""

    what: str
    at: float


class Waiting:
    """Of one consumer, which has one batch at a time. `clock`: seconds since 1970."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._began_at = clock()
        self._failure: _Since | None = None
        self._asked: dict[object, _Since] = {}

    @contextmanager
    def attempts(self, abandon: asyncio.Event) -> Iterator[None]:
        """In this block all attempts at one batch are made, and what they ask is noted here.

        Its error is remembered until a later block ends without one; not if an operator has to act, and not
        if another process has the partitions now.
        """
        self._began_at = self._clock()
        token = _present.set(self)
        try:
            yield
        except Exception as error:
            if abandon.is_set() or isinstance(error, Fenced | CannotGoOn):
                self.forget()
            else:
                self.failed(error)
            raise
        else:
            self.forget()
        finally:
            _present.reset(token)

    def failed(self, error: Exception) -> None:
        """An attempt failed, and another one will be made. The text is that of the last failure."""
        text = str(error) if isinstance(error, ProjectorError) else named(error)
        since = self._began_at if self._failure is None else self._failure.at
        self._failure = _Since(text, since)

    def forget(self) -> None:
        """What failed is not tried again here, or no longer fails."""
        self._failure = None

    def reason(self) -> str | None:
        """What it waits for; None: for nothing, or not for long yet."""
        told_before = self._clock() - TOLD_AFTER_SECONDS
        if self._failure is not None and self._failure.at <= told_before:
            return f"{self._failure.what} ({_time(self._failure.at)})"
        # The last one: a question to another server is asked within the transaction that waits for it.
        late = [one for one in self._asked.values() if one.at <= told_before]
        return f"{late[-1].what}: no answer yet ({_time(late[-1].at)})" if late else None

    @contextmanager
    def _asking(self, server: str) -> Iterator[None]:
        question = object()
        self._asked[question] = _Since(server, self._clock())
        try:
            yield
        finally:
            del self._asked[question]


_present: ContextVar[Waiting | None] = ContextVar("waiting", default=None)


@contextmanager
def asking(server: str) -> Iterator[None]:
    """In this block an answer of the server is waited for."""
    waiting = _present.get()
    if waiting is None:
        yield
    else:
        with waiting._asking(server):
            yield


def attempt_failed(error: Exception) -> None:
    """An attempt at the present batch failed, and another one will be made."""
    waiting = _present.get()
    if waiting is not None:
        waiting.failed(error)


def _time(at: float) -> str:
    """The same text from second to second, so that partitions which wait for the same thing are one line."""
    return f"since {datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"
