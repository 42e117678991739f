"""W3C trace context: the trace of a command goes through the log and Kafka to the views, also while no spans
are recorded.

Only the identifiers are passed on (https://www.w3.org/TR/trace-context/). A malformed header counts as
absent, as the specification demands: a caller's broken tracing must not fail its command.
"""

import random
import re
from dataclasses import dataclass

_HEADER = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_NO_TRACE = "0" * 32
_NO_SPAN = "0" * 16
_SAMPLED = 1


@dataclass(frozen=True, slots=True)
class TraceContext:
    """One position in a trace: `trace_id` 32 and `span_id` 16 lower-case hex digits, `flags` one byte."""

    trace_id: str
    span_id: str
    flags: int = _SAMPLED

    @property
    def is_sampled(self) -> bool:
        """Whether the caller records this trace, and wants us to record our part of it."""
        return bool(self.flags & _SAMPLED)

    @property
    def header(self) -> str:
        """The `traceparent` header value, version 00."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags:02x}"

    def child(self) -> "TraceContext":
        """The same trace and sampling decision with a new span id, for the next process."""
        return TraceContext(self.trace_id, _new_id(8), self.flags)

    def sampled(self, is_sampled: bool) -> "TraceContext":
        """The same position with this sampling decision."""
        return TraceContext(self.trace_id, self.span_id, _SAMPLED if is_sampled else 0)


def new_trace_context() -> TraceContext:
    """A new trace, for a request without one. It is not sampled: nobody records it so far."""
    return TraceContext(_new_id(16), _new_id(8), flags=0)


def parse_traceparent(value: str | None) -> TraceContext | None:
    """The caller's position in its trace, or None if the header is absent or invalid.

    Version `ff` and all-zero ids are invalid; version 00 has exactly four fields; a later version may append
    fields, which are ignored (W3C Trace Context, section 3.2.4).
    """
    match = _HEADER.fullmatch(value.strip(" \t")) if value else None
    if match is None:
        return None
    version, trace_id, span_id, flags, more = match.groups()
    if version == "ff" or (version == "00" and more) or trace_id == _NO_TRACE or span_id == _NO_SPAN:
        return None
    return TraceContext(trace_id, span_id, int(flags, 16))


def _new_id(size_bytes: int) -> str:
    """Random hex; the last bit is set because an all-zero id means "no trace"."""
    return f"{random.getrandbits(8 * size_bytes) | 1:0{2 * size_bytes}x}"
