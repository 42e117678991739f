"""Waits in a trace: for a turn, a place, a connection, another process. They say where the time of a slow
request went; a short wait is no span, because traces would have twice as many spans and say no more.
"""

import time
from types import TracebackType
from typing import NamedTuple

from shared.telemetry.spans import NOTHING, Attributes, SpanKind, present_span
from shared.telemetry.trace_context import TraceContext
from shared.telemetry.tracing import past_span

WAIT_SPAN_SECONDS_MIN = 0.05
"""A shorter wait has no span."""
NANOSECONDS = 1_000_000_000


class Ready(NamedTuple):
    """Since when an event could have been worked on, by whoever `wait_name` says."""

    wait_name: str
    since_ns: int


class wait:  # noqa: N801  # used like a function, as `span`
    """A part of the present span in which nothing but waiting is done. For a `with` statement."""

    __slots__ = ("_attributes", "_began_ns", "_name", "_parent")

    def __init__(self, name: str, attributes: Attributes = NOTHING) -> None:
        self._name = name
        self._attributes = attributes
        self._parent: TraceContext | None = None
        self._began_ns = 0

    def __enter__(self) -> None:
        span = present_span()
        if span.is_recorded:
            self._parent, self._began_ns = span.context, time.time_ns()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._parent is not None:
            record_wait(
                Ready(self._name, self._began_ns),
                self._parent,
                time.time_ns(),
                self._attributes,
                error if isinstance(error, Exception) else None,
            )


def record_wait(
    ready: Ready,
    parent: TraceContext,
    ended_ns: int,
    attributes: Attributes = NOTHING,
    failure: Exception | None = None,
) -> None:
    """A wait that has ended, in the trace of `parent`, if it was long enough."""
    if ended_ns - ready.since_ns >= WAIT_SPAN_SECONDS_MIN * NANOSECONDS:
        past_span(
            ready.wait_name, SpanKind.INTERNAL, parent, ready.since_ns, ended_ns, attributes, failure=failure
        )
