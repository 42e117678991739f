"""Counts what append calls wrote: by call and not by command, because a call has hundreds of them."""

from collections import Counter
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Protocol

from command_api.executing.ports import (
    Append,
    Appended,
    AppendOutcome,
    DuplicateKey,
    ReservationTaken,
    VersionConflict,
)
from shared.ops.metrics.commands import (
    APPEND_COMMANDS,
    APPEND_WAITING,
    APPEND_WAITING_SECONDS,
    APPENDS,
    EVENTS_APPENDED,
)
from shared.ops.metrics.labels import EVENT_TYPES

_RESULTS: dict[type[AppendOutcome], str] = {
    Appended: "appended",
    VersionConflict: "version_conflict",
    DuplicateKey: "duplicate_key",
    ReservationTaken: "reservation_taken",
}
_by_result = {kind: APPENDS.labels(result).inc for kind, result in _RESULTS.items()}
_failed = APPENDS.labels("failed").inc
_by_type = {event_type: EVENTS_APPENDED.labels(event_type).inc for event_type in EVENT_TYPES}


class Queued(Protocol):
    """A command in the queue; `queued_at` in monotonic seconds."""

    @property
    def queued_at(self) -> float: ...


def watch_queue(queue: Callable[[], Sequence[Queued]]) -> None:
    """Export the length and the age of the present queue at each scrape; its first element is the oldest."""

    def oldest_seconds() -> float:
        waiting = queue()
        return monotonic() - waiting[0].queued_at if waiting else 0.0

    APPEND_WAITING.set_function(lambda: len(queue()))
    APPEND_WAITING_SECONDS.set_function(oldest_seconds)


def count_outcomes(appends: Sequence[Append], outcomes: Sequence[AppendOutcome]) -> None:
    """One call of the append function, or what was read of it after a lost connection."""
    APPEND_COMMANDS.observe(len(appends))
    for kind, commands in Counter(map(type, outcomes)).items():
        _by_result[kind](commands)
    written = Counter(
        event.encoded.event_type
        for append, outcome in zip(appends, outcomes, strict=True)
        if isinstance(outcome, Appended)
        for event in append.events
    )
    for event_type, events in written.items():
        _by_type[event_type](events)


def count_failed(commands: int) -> None:
    """Commands of a call that has no outcome for them."""
    _failed(commands)
