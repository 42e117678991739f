"""A receiver for the spans of an installation's processes, and the edges that a trace must have."""

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from deploy.local.traces.receiver import TraceReceiver
from deploy.local.traces.spans import StoredSpan
from deploy.local.traces.store import TraceStore
from tests.end_to_end.system import PATIENCE_OF_TESTS, REPOSITORY, Servers, System

PAGE = REPOSITORY / "docs" / "traces.md"
_LINE = re.compile(r"\| `([^`]+)` \| (?:`([^`]+)`|the caller's span) \| `([^`]+)` \|")


class Edge(NamedTuple):
    """A line of the table: a span, its parent (None: the caller's), and the process."""

    span: str
    parent: str | None
    service: str


def edges() -> list[Edge]:
    """The table of docs/traces.md."""
    found = [Edge(span, parent or None, service) for span, parent, service in _LINE.findall(PAGE.read_text())]
    assert len(found) >= 20, "the table has another form"
    return found


def missing(spans: Sequence[StoredSpan]) -> list[Edge]:
    """The edges that a trace does not have."""
    by_id = {one.span_id: one for one in spans}
    seen = set()
    for one in spans:
        parent = by_id.get(one.parent_id or "")
        seen.add(Edge(one.name, parent.name if parent else None, one.service))
    return [edge for edge in edges() if edge not in seen]


@contextmanager
def receiving(folder: Path) -> Iterator[TraceReceiver]:
    """A receiver in a thread."""
    with TraceReceiver(TraceStore(folder / "traces.db")) as receiver:
        thread = threading.Thread(target=receiver.serve_forever)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.shutdown()
            thread.join()


def exporting_to(receiver: TraceReceiver) -> dict[str, str]:
    """The settings of the processes: the caller decides, and a trace that begins here is sampled."""
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": "1",
    }


@contextmanager
def traced_system(
    servers: Servers, receiver: TraceReceiver, folder: Path, settings: Mapping[str, str]
) -> Iterator[System]:
    """An installation whose processes send their spans to this receiver."""
    servers.ensure_running()
    system = System(servers, folder, {**PATIENCE_OF_TESTS, **exporting_to(receiver), **settings})
    system.start()
    try:
        yield system
    finally:
        system.close()


def of_name(spans: Sequence[StoredSpan], name: str) -> list[StoredSpan]:
    """The spans of this name."""
    return [one for one in spans if one.name == name]


def one_of_name(spans: Sequence[StoredSpan], name: str) -> StoredSpan:
    """The only span of this name. For `eventually`: it may be under way."""
    found = of_name(spans, name)
    assert len(found) == 1, f"{len(found)} spans are named {name!r}, of {sorted(one.name for one in spans)}"
    return found[0]
