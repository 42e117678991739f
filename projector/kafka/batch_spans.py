"""The spans of a projection's batch: one for the batch, and one in the trace of each sampled event.

A parked event is a failure, so it has a span whatever was sampled.
"""

import time
from collections.abc import Sequence

from projector.applying.dead_letters import DeadLetter
from projector.applying.records import Delivered, SourceRecord, Unreadable
from shared.kafka.cloud_event import is_replay
from shared.telemetry import conventions as c
from shared.telemetry.batches import CONTINUED_SECONDS_MAX, BatchTrace, TracedEvent, traced
from shared.telemetry.spans import Attributes, SpanKind
from shared.telemetry.trace_context import parse_traceparent
from shared.telemetry.tracing import is_tracing, past_span
from shared.telemetry.waits import Ready

NANOSECONDS, MILLISECONDS = 1_000_000_000, 1_000


class EventParked(Exception):
    """Why an event became a dead letter; only recorded, never raised."""


def process_trace(projection: str, batch: Sequence[Delivered | Unreadable]) -> BatchTrace:
    """The work on a batch, for a `with` statement."""
    events = _sampled(projection, batch) if is_tracing() else ()
    attributes = {**_attributes(projection), c.MESSAGING_BATCH: len(batch)}
    names = f"{c.PROCESS_BATCH} {projection}", f"{c.PROCESS} {projection}"
    return BatchTrace(*names, SpanKind.CONSUMER, events, attributes)


def _sampled(projection: str, batch: Sequence[Delivered | Unreadable]) -> list[TracedEvent]:
    found = []
    for item in batch:
        if not isinstance(item, Delivered):
            continue
        one = traced(item.event)
        if one is None:
            continue
        if one.is_continued and is_replay(item.record.headers):
            one = one._replace(is_continued=False)
        # By the clock of the relay, or of the broker, which put it into the topic.
        ready = Ready(f"{c.WAIT_FOR} {projection}", item.record.timestamp * (NANOSECONDS // MILLISECONDS))
        found.append(one.having({**_attributes(projection), **_place(item.record)})._replace(ready=ready))
    return found


def record_parked(projection: str, dead_letter: DeadLetter, headers: dict[str, str]) -> None:
    """In the trace of the event; in one of its own, linked, if the event is old or has none."""
    if not is_tracing():
        return
    now_ns, record = time.time_ns(), dead_letter.record
    given = parse_traceparent(headers.get("traceparent"))
    age_seconds = now_ns / NANOSECONDS - record.timestamp / MILLISECONDS
    is_continued = given is not None and age_seconds <= CONTINUED_SECONDS_MAX
    attributes: Attributes = {
        **_attributes(projection),
        **_place(record),
        c.ERROR_CLASS: dead_letter.error_class,
        c.PRODUCT_ID: (record.key or b"").decode("utf-8", "backslashreplace"),
        c.EVENT_TYPE: headers.get("ce_type", ""),
    }
    past_span(
        f"{c.PARK} {projection}", SpanKind.CONSUMER, given if is_continued else None,
        now_ns, now_ns, attributes,
        links=[given] if given and not is_continued else (),
        failure=EventParked(f"{dead_letter.error_class}: {dead_letter.cause}"),
    )  # fmt: skip


def _attributes(projection: str) -> Attributes:
    return {c.PROJECTION: projection, c.MESSAGING_SYSTEM: c.KAFKA, c.MESSAGING_OPERATION: "process"}


def _place(at: SourceRecord) -> Attributes:
    return {
        c.MESSAGING_DESTINATION: at.topic,
        c.MESSAGING_PARTITION: str(at.partition),
        c.MESSAGING_OFFSET: at.offset,
    }
