"""Waits of events, without what came before them.

A wait for the relay or a projection is recorded from the moment at which the event got its log position: the
relay and the projector know no better. With the whole trace at hand, it begins at the end of the span before
it. Otherwise each projection would seem to wait, although only the relay was late.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from deploy.local.traces.spans import StoredSpan, by_parent
from shared.telemetry import conventions as c
from shared.telemetry.waits import NANOSECONDS, WAIT_SPAN_SECONDS_MIN


def without_overlap(spans: Sequence[StoredSpan]) -> list[StoredSpan]:
    """All spans; waits begin later, and those of which only a moment is left are left out."""
    beside = by_parent(spans)
    shown = (_later(one, beside[one.parent_id]) for one in spans)
    return [one for one in shown if one is not None]


def _later(span: StoredSpan, beside: Iterable[StoredSpan]) -> StoredSpan | None:
    before = _before(span.name)
    # A consumer may have a record before the relay knows of it: then nothing of the wait is left.
    ends = [one.ended_ns for one in beside if one.name == before and one.began_ns <= span.ended_ns]
    if not ends or min(ends) <= span.began_ns:
        return span
    is_long = span.ended_ns - min(ends) >= WAIT_SPAN_SECONDS_MIN * NANOSECONDS
    return replace(span, began_ns=min(ends)) if is_long else None


def _before(name: str) -> str | None:
    if name == c.WAIT_FOR_RELAY:
        return c.APPEND
    return c.PUBLISH if name.startswith(f"{c.WAIT_FOR} ") and name not in _OTHER_WAITS else None


_OTHER_WAITS = {
    c.WAIT_FOR_APPEND, c.WAIT_FOR_CONNECTION, c.WAIT_FOR_KEY, c.WAIT_FOR_PRODUCT, c.WAIT_FOR_READS,
    c.WAIT_FOR_STATES, c.WAIT_FOR_WRITE,
}  # fmt: skip
