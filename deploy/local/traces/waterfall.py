"""Shows traces in a terminal: a list, or one trace as a waterfall."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from deploy.local.traces.own_time import longest
from deploy.local.traces.spans import StoredSpan
from deploy.local.traces.store import TraceSummary
from deploy.local.traces.waits import without_overlap
from shared.telemetry import conventions as c

_BAR_CHARACTERS = 24
_NAME_CHARACTERS = 44
_DEPTH_MAX = 50
# Attributes that help to find what took long; the others are in the file.
_SHOWN = {
    c.HTTP_STATUS: "status",
    c.COMMAND: "command",
    c.OUTCOME: "outcome",
    c.WAITED_FOR: "waited for",
    c.POOL: "pool",
    c.EVENT_TYPE: "event type",
    c.STREAM_VERSION: "version",
    c.LOG_POSITION: "position",
    c.LOG_POSITIONS: "positions by partition",
    c.SECONDS_SINCE_RECORDED: "seconds since recorded",
    c.MAIL_OUTCOME: "mail",
    c.MESSAGING_DESTINATION: "topic",
    c.MESSAGING_BATCH: "messages",
    c.DB_BATCH_SIZE: "commands",
}


def table(traces: Sequence[TraceSummary]) -> str:
    """One line a trace."""
    lines = [f"{'trace':<32}  {'began (UTC)':<12}  {'ms':>9}  {'to the end':>10}  {'spans':>5}  first span"]
    return "\n".join([*lines, *map(_line, traces)])


def waterfall(spans: Sequence[StoredSpan]) -> str:
    """One line a span, under its parent, and last what took most of the time. Offset and duration are in
    milliseconds.
    """
    spans = without_overlap(spans)
    began, ended = min(one.began_ns for one in spans), max(one.ended_ns for one in spans)
    services = sorted({one.service for one in spans})
    what = f"{len(spans)} spans in {', '.join(services)}"
    lines = [
        f"trace {spans[0].trace_id}, began {_time(began)} UTC, {_ms(ended - began).strip()} ms, {what}",
        f"{'offset':>9} {'ms':>9}  {'':<{_BAR_CHARACTERS}}  span",
    ]
    for depth, span in _in_order(spans):
        name = f"{'  ' * depth}{span.name}"
        lines.append(
            f"{_ms(span.began_ns - began)} {_ms(span.ended_ns - span.began_ns)}  "
            f"{_bar(span, began, ended)}  {name:<{_NAME_CHARACTERS}} {span.service}{_details(span)}"
        )
    lines.append("most of the time (without the spans below):")
    lines += [f"{_ms(own_ns)} ms  {one.name} ({one.service}){_waited(one)}" for one, own_ns in longest(spans)]
    return "\n".join(lines)


def _line(one: TraceSummary) -> str:
    times = f"{_time(one.began_ns)}  {_ms(one.took_ns)}  {_ms(one.whole_ns):>10}"
    failed = f", {one.failures} failed" if one.failures else ""
    return f"{one.trace_id}  {times}  {one.spans:>5}  {one.name} ({one.service}){failed}"


def _in_order(spans: Sequence[StoredSpan]) -> Iterator[tuple[int, StoredSpan]]:
    """Each span after its parent, with its depth; one whose parent is not here stands at the left."""
    known = {one.span_id for one in spans}
    children: dict[str | None, list[StoredSpan]] = {}
    for span in spans:
        children.setdefault(span.parent_id if span.parent_id in known else None, []).append(span)
    waiting = [(0, one) for one in reversed(children.get(None, []))]
    while waiting:
        depth, span = waiting.pop()
        yield depth, span
        if depth < _DEPTH_MAX:
            waiting += [(depth + 1, one) for one in reversed(children.get(span.span_id, []))]


def _bar(span: StoredSpan, began: int, ended: int) -> str:
    scale = _BAR_CHARACTERS / max(ended - began, 1)
    start = min(int((span.began_ns - began) * scale), _BAR_CHARACTERS - 1)
    width = max(1, round((span.ended_ns - span.began_ns) * scale))
    return (" " * start + "#" * min(width, _BAR_CHARACTERS - start)).ljust(_BAR_CHARACTERS)


def _details(span: StoredSpan) -> str:
    shown = [
        f"{said} {_text(span.attributes[name])}" for name, said in _SHOWN.items() if name in span.attributes
    ]
    shown += [event["name"] for event in span.events if event["name"] != "exception"]
    shown += [f"linked with trace {link['trace_id']}" for link in span.links[:1]]
    if len(span.links) > 1:
        shown.append(f"and {len(span.links) - 1} more")
    failure = [f"FAILED: {span.failure}"] if span.failure else []
    return "".join(f", {one}" for one in [*failure, *shown])


def _waited(span: StoredSpan) -> str:
    found = span.attributes.get(c.WAITED_FOR)
    return f", waited for {found}" if found else ""


def _text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _ms(nanoseconds: int) -> str:
    return f"{nanoseconds / 1_000_000:9.2f}"


def _time(nanoseconds: int) -> str:
    return f"{datetime.fromtimestamp(nanoseconds / 1_000_000_000, UTC):%H:%M:%S.%f}"[:12]
