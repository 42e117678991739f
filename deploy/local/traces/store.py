"""Keeps the newest spans in one SQLite file, which any program can read while they arrive."""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from deploy.local.traces.spans import StoredSpan
from shared.telemetry import conventions as c

SPANS_KEPT_MAX = 100_000
"""About 100 MB. More than that, and the oldest tenth is deleted."""
_BUSY_SECONDS_MAX = 10.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS spans (
    trace_id TEXT NOT NULL, span_id TEXT NOT NULL, parent_id TEXT, service TEXT NOT NULL, name TEXT NOT NULL,
    kind TEXT NOT NULL, began_ns INTEGER NOT NULL, ended_ns INTEGER NOT NULL, failure TEXT,
    attributes TEXT NOT NULL, events TEXT NOT NULL, links TEXT NOT NULL, PRIMARY KEY (trace_id, span_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS spans_by_time ON spans (began_ns);
"""
_ADD = "INSERT OR REPLACE INTO spans VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_PURGE = "DELETE FROM spans WHERE began_ns <= (SELECT began_ns FROM spans ORDER BY began_ns LIMIT 1 OFFSET ?)"
_SPANS = "SELECT * FROM spans WHERE trace_id = ? ORDER BY began_ns, ended_ns DESC"
_PREFIX = "SELECT DISTINCT trace_id FROM spans WHERE trace_id LIKE ? || '%' LIMIT 2"
_AT_POSITION = f"""
SELECT DISTINCT trace_id FROM spans WHERE json_extract(attributes, '$."{c.LOG_POSITION}"') = ?
"""
_LINKED = "SELECT * FROM spans WHERE links LIKE '%' || ? || '%' ORDER BY began_ns"
# The first span of a trace has no parent, or one that is the caller's and not here.
_TRACES = """
SELECT first.trace_id, first.name, first.service, first.began_ns, first.ended_ns - first.began_ns AS took_ns,
       (SELECT count(*) FROM spans WHERE trace_id = first.trace_id) AS spans,
       (SELECT count(failure) FROM spans WHERE trace_id = first.trace_id) AS failures,
       (SELECT max(ended_ns) FROM spans WHERE trace_id = first.trace_id) - first.began_ns AS whole_ns
FROM spans AS first
WHERE NOT EXISTS (
    SELECT 1 FROM spans AS parent WHERE parent.trace_id = first.trace_id AND parent.span_id = first.parent_id)
    AND (? OR first.kind IN ('server', 'internal') OR first.failure IS NOT NULL)
ORDER BY {order} LIMIT ?
"""


class TraceSummary(NamedTuple):
    """A trace by its first span. `whole_ns`: to the end of the last span that the request caused."""

    trace_id: str
    name: str
    service: str
    began_ns: int
    took_ns: int
    spans: int
    failures: int
    whole_ns: int


class TraceStore:
    """The file; for the threads of one process, and for readers in others."""

    def __init__(self, path: Path, spans_kept_max: int = SPANS_KEPT_MAX) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._spans_kept_max = spans_kept_max
        self._lock = threading.Lock()
        with self._connection() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_SCHEMA)

    def add(self, spans: Iterable[StoredSpan]) -> None:
        """Keep these; a span that comes twice is kept once."""
        rows = [_row(span) for span in spans]
        with self._lock, self._connection() as connection:
            connection.executemany(_ADD, rows)
            (count,) = connection.execute("SELECT count(*) FROM spans").fetchone()
            if count > self._spans_kept_max:
                connection.execute(_PURGE, (count - self._spans_kept_max + self._spans_kept_max // 10,))

    def trace(self, trace_id: str) -> Sequence[StoredSpan]:
        """The spans of a trace, by their beginning; empty if there is none."""
        with self._connection() as connection:
            return [_span(row) for row in connection.execute(_SPANS, (trace_id,))]

    def named(self, prefix: str) -> Sequence[str]:
        """The ids of the traces that begin like this, at most two."""
        with self._connection() as connection:
            return [row[0] for row in connection.execute(_PREFIX, (prefix,))]

    def at_position(self, log_position: int) -> Sequence[str]:
        """The ids of the traces that speak of this position of the log: its write, and reads that waited."""
        with self._connection() as connection:
            return [row[0] for row in connection.execute(_AT_POSITION, (log_position,))]

    def linked_with(self, trace_id: str) -> Sequence[StoredSpan]:
        """The spans of other traces that have a link to this one: batches, replays, retries."""
        with self._connection() as connection:
            return [_span(row) for row in connection.execute(_LINKED, (trace_id,))]

    def newest(self, limit: int, *, with_batches: bool = False) -> Sequence[TraceSummary]:
        """The newest first. Traces of batches are left out unless they failed: each event has its own."""
        return self._traces("first.began_ns DESC", limit, with_batches)

    def slowest(self, limit: int, *, with_batches: bool = False) -> Sequence[TraceSummary]:
        """Those whose first span took longest."""
        return self._traces("took_ns DESC", limit, with_batches)

    def _traces(self, order: str, limit: int, with_batches: bool) -> Sequence[TraceSummary]:
        sql = _TRACES.format(order=order)
        with self._connection() as connection:
            return [TraceSummary(*row) for row in connection.execute(sql, (with_batches, limit))]

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=_BUSY_SECONDS_MAX)) as connection, connection:
            yield connection


def _row(span: StoredSpan) -> tuple[Any, ...]:
    described = (span.attributes, span.events, span.links)
    return (
        span.trace_id, span.span_id, span.parent_id, span.service, span.name, span.kind, span.began_ns,
        span.ended_ns, span.failure, *map(json.dumps, described),
    )  # fmt: skip


def _span(row: Sequence[Any]) -> StoredSpan:
    return StoredSpan(*row[:9], *map(json.loads, row[9:]))
