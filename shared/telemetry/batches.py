"""Traces of events that are worked on together.

A batch belongs to the traces of all its events, so it has a trace of its own, with links. Each sampled event
gets the work in its own trace, too, with the times of the batch: that is where a slow event is looked for.

An old or replayed event is only linked: a trace that goes on for months can be neither kept nor read.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import NamedTuple, Self

from shared.contract.recorded_event import RecordedEvent
from shared.telemetry import conventions as c
from shared.telemetry.spans import NOTHING, Attributes, Failure, Part, Span, SpanKind
from shared.telemetry.trace_context import TraceContext, parse_traceparent
from shared.telemetry.tracing import LINKS_MAX, is_tracing, past_span, span, trace
from shared.telemetry.waits import Ready, record_wait

CONTINUED_SECONDS_MAX = 3_600.0
"""An event that is older when it is worked on is linked, not continued."""
EVENT_SPANS_PER_BATCH_MAX = 512
_SAMPLED_ENDS = frozenset("13579bdf")


class TracedEvent(NamedTuple):
    """A sampled event. `is_continued`: the work on it is part of its trace. `ready`: what it waited for."""

    context: TraceContext
    attributes: Attributes
    is_continued: bool
    ready: Ready | None = None

    def having(self, more: Attributes) -> "TracedEvent":
        """With more attributes."""
        return self._replace(attributes={**self.attributes, **more})


def may_be_sampled(header: str | None) -> bool:
    """A quick look at a `traceparent`, which rules out most of them; `traced` reads it."""
    return header is not None and header[-1:] in _SAMPLED_ENDS


def traced(
    event: RecordedEvent, more: Attributes = NOTHING, *, is_replay: bool = False
) -> TracedEvent | None:
    """None: its trace is not sampled. Call it only while tracing is on."""
    header = event.metadata.traceparent
    if not may_be_sampled(header):
        return None
    context = parse_traceparent(header)
    if context is None or not context.is_sampled:
        return None
    age_seconds = time.time() - event.recorded_at.timestamp()
    attributes: Attributes = {
        c.PRODUCT_ID: str(event.product_id),
        c.EVENT_TYPE: event.event_type,
        c.STREAM_VERSION: event.stream_version,
        c.LOG_POSITION: event.log_position,
        c.SECONDS_SINCE_RECORDED: round(age_seconds, 6),
    }
    return TracedEvent(context, attributes, not is_replay and age_seconds <= CONTINUED_SECONDS_MAX)


def event_span(name: str, kind: SpanKind, event: RecordedEvent) -> Span:
    """Work on one event, in its own trace; if it has none, a part of the present span. For `with`."""
    found = traced(event) if is_tracing() else None
    if found is None or not found.is_continued:
        return span(name, kind)
    return trace(name, kind, found.context, found.attributes, is_sampled=True)


class BatchTrace:
    """The work on a batch, for a `with` statement. `name` is for the batch, `event_name` for each event."""

    def __init__(
        self,
        name: str,
        event_name: str,
        kind: SpanKind,
        events: Sequence[TracedEvent],
        attributes: Attributes = NOTHING,
    ) -> None:
        self._event_name = event_name
        self._kind = kind
        self._events = events
        self._began_ns = time.time_ns() if events else 0
        self._parts: Sequence[Part] = ()
        self.failures: Mapping[int, Failure] = {}
        """By index of `events`: those that failed, although the batch did not. Set it before the end."""
        self.span: Span = trace(name, kind, attributes=attributes, is_sampled=bool(events))

    def __enter__(self) -> Self:
        self.span.__enter__()
        for event in self._events[:LINKS_MAX]:
            self.span.link(event.context)
        self._parts = self.span.keep_parts()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        continued = [at for at, event in enumerate(self._events) if event.is_continued]
        if len(continued) > EVENT_SPANS_PER_BATCH_MAX:
            self.span.set({c.EVENTS_LEFT_OUT: len(continued) - EVENT_SPANS_PER_BATCH_MAX})
        self.span.__exit__(kind, error, trace)
        failure = error if isinstance(error, Exception) else None
        ended_ns = time.time_ns()
        for at in continued[:EVENT_SPANS_PER_BATCH_MAX]:
            self._record(self._events[at], ended_ns, failure or self.failures.get(at))

    def _record(self, event: TracedEvent, ended_ns: int, failure: Failure | None) -> None:
        """Of a failure its text alone. The linked span of the batch has the stack trace: to format it again
        for each event holds up the event loop for seconds.
        """
        if event.ready is not None:
            record_wait(event.ready, event.context, self._began_ns)
        batch, attributes = self.span.context, event.attributes
        links: Iterable[TraceContext] = () if batch is None else (batch,)
        if isinstance(failure, Exception):
            attributes = {**attributes, c.ERROR_TYPE: type(failure).__qualname__}
            failure = f"{type(failure).__name__}: {failure}"
        made = past_span(
            self._event_name, self._kind, event.context, self._began_ns, ended_ns, attributes,
            links=links, failure=failure,
        )  # fmt: skip
        if made.context is not None:
            for part in self._parts:
                past_span(
                    part.name, part.kind, made.context, part.began_ns, part.ended_ns, part.attributes,
                    failure=part.failure,
                )  # fmt: skip
