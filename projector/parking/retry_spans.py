"""Links the span of a retry with the traces of the dead letters that are retried."""

from collections.abc import Iterable

from projector.applying.records import SourceRecord
from shared.kafka.cloud_event import headers_for_people
from shared.telemetry.spans import Span
from shared.telemetry.trace_context import parse_traceparent


def link_dead_letters(span: Span, parked: Iterable[SourceRecord]) -> None:
    """The span is about these."""
    if not span.is_recorded:
        return
    for one in parked:
        context = parse_traceparent(headers_for_people(one.headers).get("traceparent"))
        if context is not None:
            span.link(context)
