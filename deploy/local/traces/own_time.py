"""Where the time of a trace went: the spans with the most time that no span below them explains."""

from collections.abc import Sequence
from operator import itemgetter

from deploy.local.traces.spans import StoredSpan, by_parent

_SPANS_MAX = 3
_SHARE_MIN = 0.1


def longest(spans: Sequence[StoredSpan]) -> list[tuple[StoredSpan, int]]:
    """Up to three spans with their own nanoseconds, the longest first; each has a tenth of the trace."""
    whole_ns = max(one.ended_ns for one in spans) - min(one.began_ns for one in spans)
    below = by_parent(spans)
    own = [(one, _own_ns(one, below.get(one.span_id, ()))) for one in spans]
    found = sorted(
        (each for each in own if each[1] >= whole_ns * _SHARE_MIN), key=itemgetter(1), reverse=True
    )
    return found[:_SPANS_MAX]


def _own_ns(span: StoredSpan, parts: Sequence[StoredSpan]) -> int:
    """Its duration without the time in which one of its parts ran; a part may go on after its end."""
    own_ns, seen_until = span.ended_ns - span.began_ns, span.began_ns
    for part in sorted(parts, key=lambda one: one.began_ns):
        began, ended = max(part.began_ns, seen_until), min(part.ended_ns, span.ended_ns)
        if ended > began:
            own_ns -= ended - began
            seen_until = ended
    return own_ns
