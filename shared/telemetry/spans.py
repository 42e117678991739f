"""Spans: pieces of work with a beginning, an end, and a place in a trace.

While tracing is off, every span is the one object `NO_SPAN`, which does nothing: a span on a hot path costs a
look-up and a call. While it is on, a request that is not sampled has spans that keep little more than their
ids; only one that fails is recorded after all, so that errors are always kept.
"""

import time
from collections.abc import Mapping, Sequence
from contextvars import ContextVar, Token
from enum import Enum
from types import TracebackType
from typing import NamedTuple, Protocol

from shared.telemetry.conventions import ERROR_TYPE
from shared.telemetry.trace_context import TraceContext

Value = str | int | float | bool | Sequence[str]
Attributes = Mapping[str, Value]
Failure = Exception | str
NOTHING: Attributes = {}
PARTS_KEPT_MAX = 32


class SpanKind(Enum):
    """What a span does for others, in OpenTelemetry's words."""

    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"


class Part(NamedTuple):
    """A finished part of a recorded span's work."""

    name: str
    kind: SpanKind
    began_ns: int
    ended_ns: int
    attributes: Attributes
    failure: str | None


class Tracer(Protocol):
    """What records spans."""

    def samples(self, name: str, kind: SpanKind, parent: TraceContext | None, trace_id: str) -> bool:
        """Whether to record a span whose parent is in another process, or that begins a trace."""

    def draws(self) -> bool:
        """Whether to record a span that begins a trace; cheap, because most paths that ask are fast."""

    def record(
        self,
        name: str,
        kind: SpanKind,
        own: TraceContext,
        parent: TraceContext | None,
        attributes: Attributes,
        refusals: type[Exception] | None = None,
        began_ns: int | None = None,
    ) -> "LiveSpan":
        """Begin to record a span with these ids, now or at a time before (nanoseconds since 1970)."""


class Span:
    """The span of work that belongs to no trace. Use `NO_SPAN`."""

    __slots__ = ()
    is_recorded = False
    """Whether it is worth the work to collect attributes, links and events for it."""

    @property
    def context(self) -> TraceContext | None:
        """Its place in its trace; None: there is none."""
        return None

    def rename(self, name: str) -> None:
        """A better name, found after the beginning. It has few values: never an id or a path."""

    def set(self, attributes: Attributes) -> None:
        """Add attributes."""

    def event(self, name: str, attributes: Attributes = NOTHING) -> None:
        """Something happened now."""

    def link(self, context: TraceContext) -> None:
        """It belongs to this span of another trace, too."""

    def fail(self, failure: Failure) -> None:
        """It failed. Then it is recorded, whatever was sampled. The first failure counts."""

    def child(
        self, name: str, kind: SpanKind, attributes: Attributes, refusals: type[Exception] | None
    ) -> "Span":
        """A part of its work, in this process."""
        return self

    def keep_parts(self) -> Sequence[Part]:
        """Its parts that end from now on, up to `PARTS_KEPT_MAX`; the sequence grows with them."""
        return ()

    def end(self, at_ns: int | None = None) -> None:
        """It has ended, now or at this time. `with` does it by itself."""

    def __enter__(self) -> "Span":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


NO_SPAN = Span()
_present: ContextVar[Span] = ContextVar("span", default=NO_SPAN)


def present_span() -> Span:
    """The innermost span of the work that is being done; `NO_SPAN` if there is none."""
    return _present.get()


class LiveSpan(Span):
    """A span of a trace. `refusals`: exceptions that are a correct answer to the caller, and no failure."""

    __slots__ = ("_refusals", "_token", "_tracer")

    def __init__(self, tracer: Tracer, refusals: type[Exception] | None) -> None:
        self._tracer = tracer
        self._refusals = refusals
        self._token: Token[Span] | None = None

    def __enter__(self) -> Span:
        self._token = _present.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._token is not None
        _present.reset(self._token)
        if isinstance(error, Exception):
            if self._refusals is not None and isinstance(error, self._refusals):
                self.set({ERROR_TYPE: type(error).__name__})
            else:
                self.fail(error)
        self.end()


class UnsampledSpan(LiveSpan):
    """Keeps what is needed to record it if it fails. Its ids are made when they are needed.

    `own` None: it is a part of the work of `above`.
    """

    __slots__ = ("_above", "_attributes", "_began_ns", "_failure", "_kind", "_name", "_own", "_parent")

    def __init__(
        self,
        tracer: Tracer,
        name: str,
        kind: SpanKind,
        attributes: Attributes,
        refusals: type[Exception] | None = None,
        *,
        own: TraceContext | None = None,
        parent: TraceContext | None = None,
        above: Span = NO_SPAN,
        began_ns: int | None = None,
    ) -> None:
        super().__init__(tracer, refusals)
        self._name = name
        self._kind = kind
        self._attributes = attributes
        self._own = own
        self._parent = parent
        self._above = above
        self._began_ns = time.time_ns() if began_ns is None else began_ns
        self._failure: Failure | None = None

    @property
    def context(self) -> TraceContext:
        if self._own is None:
            self._parent = self._above.context
            assert self._parent is not None, "the parent of a live span is a live span"
            self._own = self._parent.child()
        return self._own

    def rename(self, name: str) -> None:
        self._name = name

    def set(self, attributes: Attributes) -> None:
        self._attributes = {**self._attributes, **attributes}

    def fail(self, failure: Failure) -> None:
        self._failure = self._failure or failure

    def child(
        self, name: str, kind: SpanKind, attributes: Attributes, refusals: type[Exception] | None
    ) -> Span:
        return UnsampledSpan(self._tracer, name, kind, attributes, refusals, above=self)

    def end(self, at_ns: int | None = None) -> None:
        if self._failure is None:
            return
        own = self.context  # which also finds the parent
        recorded = self._tracer.record(
            self._name, self._kind, own, self._parent, self._attributes, began_ns=self._began_ns
        )
        recorded.fail(self._failure)
        recorded.end(at_ns)
