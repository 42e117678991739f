"""A command in the queue of the group commit, and the ends that it may have."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic

from command_api.executing.ports import Append, AppendOutcome
from command_api.postgres.append_metrics import count_failed, count_outcomes
from command_api.postgres.append_spans import Turn


@dataclass(slots=True, eq=False)
class WaitingAppend:
    """`size_bytes`: of its events. `was_reconciled`: its first call broke, and certainly wrote nothing."""

    append: Append
    outcome: "asyncio.Future[AppendOutcome]"
    size_bytes: int
    turn: Turn | None
    was_reconciled: bool = False
    queued_at: float = field(default_factory=monotonic)

    @property
    def waits_since(self) -> float:
        """As if it had waited here all the time."""
        return self.queued_at - self.append.waited_seconds


def settle(batch: Sequence[WaitingAppend], outcomes: Sequence[AppendOutcome]) -> None:
    """Give each its outcome; a client that has hung up does not get it."""
    count_outcomes([waiting.append for waiting in batch], outcomes)
    for waiting, outcome in zip(batch, outcomes, strict=True):
        if not waiting.outcome.done():
            waiting.outcome.set_result(outcome)


def fail(batch: Sequence[WaitingAppend], error: Exception, cause: Exception | None = None) -> None:
    """The store could not execute these."""
    if cause is not None:
        error.__cause__ = cause
    count_failed(len(batch))
    refuse(batch, error)


def refuse(commands: Sequence[WaitingAppend], error: Exception) -> None:
    """Give each this error."""
    for waiting in commands:
        if not waiting.outcome.done():
            waiting.outcome.set_exception(error)
            waiting.outcome.exception()  # mark as retrieved: a client that has hung up does not read it
