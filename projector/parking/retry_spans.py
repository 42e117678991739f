"""Links the span of a retry with the traces of the dead letters that are retried."""

from collections.abc import Iterable

from projector.applying.records import SourceRecord
from shared.kafka.cloud_event import headers_for_people
from shared.telemetry.spans import present_span
from shared.telemetry.trace_context import parse_traceparent


def link_dead_letters(parked: Iterable[SourceRecord]) -> None:
    """The present span is about these."""
    span = present_span()
    if not span.is_recorded:
        return
    for one in parked:
        context = parse_traceparent(headers_for_people(one.headers).get("traceparent"))
        if context is not None:
            span.link(context)
