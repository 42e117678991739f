"""Logs one JSON object per line on standard output, for our code, uvicorn, aiokafka, FastStream and asyncio.

structlog writes its own events straight to the stream; standard-library records are turned into the same
event dictionary and end in the same renderer, so a collector needs one parser. JSON escapes line breaks, so
no message can forge a second record.
"""

import json
import logging
import sys
from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from shared.ops.log_repeats import RepeatFilter, Repeats
from shared.ops.log_stream import LineWriter
from shared.ops.metrics.process import LOG_LINES
from shared.telemetry.spans import present_span

if TYPE_CHECKING:
    from shared.ops.settings import ProcessSettings

# Libraries that give their loggers own handlers or stop propagation; their records belong in the same stream.
_FOREIGN_LOGGERS = ("uvicorn", "uvicorn.error", "aiokafka", "faststream", "faststream.access", "asyncio")
# Below the level given here these write a line per poll or per request, too many to find others.
_QUIET_LOGGERS = {
    "aiokafka": logging.INFO,
    "asyncio": logging.INFO,
    "httpcore": logging.INFO,
    "httpx": logging.WARNING,
    # A receiver of traces that is away is retried with a warning each; then one error says what was lost.
    "opentelemetry": logging.ERROR,
}


def configure_logs(process: str, settings: "ProcessSettings", stream: TextIO | None = None) -> None:
    """Send all logging of this process to `stream` (default stdout); may be called again, the last call wins.

    Each line has `time` (UTC, RFC 3339), `level`, `event`, `logger`, `process`, the values of the call,
    the `structlog.contextvars` (request_id, correlation_id), `trace_id` and `span_id` of the present span or
    request, and `exception` if there was one.
    Repeated lines of a library are suppressed; the next one has their number in `suppressed`.
    """
    threshold = logging.getLevelNamesMapping()[settings.log_level]
    writer = LineWriter(stream if stream is not None else sys.stdout)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _name_span,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _name_source(process),
        _count,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        _render,
    ]
    structlog.configure(
        processors=shared,
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda *names: _NamedLogger(writer, *names),
        # A cached logger would keep the stream and level of an earlier call: tests and sub-commands configure
        # again.
        cache_logger_on_first_use=False,
    )
    handler = _StandardHandler(shared, writer)
    handler.addFilter(
        RepeatFilter(
            Repeats(passes_max=settings.log_repeats_max, interval_seconds=settings.log_repeats_seconds)
        )
    )
    _redirect_standard_logging(threshold, handler)


def get_logger(name: str) -> FilteringBoundLogger:
    """The structured logger of a module (`get_logger(__name__)`); usable at import time, before
    `configure_logs`.
    """
    logger: FilteringBoundLogger = structlog.get_logger(name)
    return logger


def add_log_fields(**fields: str) -> None:
    """Put these fields in all later lines of this request or task; `docs/logs.md` has the names to use."""
    structlog.contextvars.bind_contextvars(**fields)


def drop_log_fields(*names: str) -> None:
    """At the end of a request: the next one of the same task is another caller's."""
    structlog.contextvars.unbind_contextvars(*names)


class _NamedLogger:
    """The logger that structlog wraps: it calls the method of the event's level with the rendered line."""

    def __init__(self, writer: LineWriter, name: str = "root") -> None:
        self.name = name
        self.debug = self.info = self.warning = self.error = self.critical = writer.write


class _StandardHandler(logging.Handler):
    """Turns a standard-library record into an event dictionary and gives it to the shared processors."""

    def __init__(self, processors: list[Processor], writer: LineWriter) -> None:
        super().__init__()
        self._processors = processors
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        try:
            event: Any = {"event": record.getMessage(), "logger": record.name}
            if record.exc_info and record.exc_info[0] is not None:
                event["exc_info"] = record.exc_info
            if record.stack_info:
                event["stack"] = record.stack_info
            if suppressed := getattr(record, "suppressed", 0):
                event["suppressed"] = suppressed
            for processor in self._processors:
                event = processor(None, record.levelname.lower(), event)
            self._writer.write(event)
        except Exception:
            self.handleError(record)


def _redirect_standard_logging(threshold: int, handler: logging.Handler) -> None:
    """Leave one handler at the root and none below it."""
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(threshold)
    for name in _FOREIGN_LOGGERS:
        foreign = logging.getLogger(name)
        foreign.handlers.clear()
        foreign.propagate = True
    for name, floor in _QUIET_LOGGERS.items():
        logging.getLogger(name).setLevel(max(threshold, floor))
    logging.captureWarnings(True)


def _name_source(process: str) -> Callable[[WrappedLogger, str, EventDict], EventDict]:
    """Add the process and the module; a record of the standard library has the name of its logger."""

    def add_source(logger: WrappedLogger, _: str, event: EventDict) -> EventDict:
        if "logger" not in event:
            event["logger"] = logger.name
        event["process"] = process
        return event

    return add_source


def _name_span(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """The innermost span of the work that writes the line, so that a line leads to its place in the trace."""
    context = present_span().context
    if context is not None:
        event["trace_id"], event["span_id"] = context.trace_id, context.span_id
    return event


_KAFKA_CLIENT = "aiokafka"
_lines = {
    level: (LOG_LINES.labels(level, "process"), LOG_LINES.labels(level, "kafka_client"))
    for level in ("debug", "info", "warning", "error", "critical")
}


def _count(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """An error that nobody foresaw has no metric of its own: its line is counted."""
    if (lines := _lines.get(event["level"])) is not None:
        lines[event["logger"].startswith(_KAFKA_CLIENT)].inc()
    return event


_encoder = msgspec.json.Encoder(enc_hook=repr)


def _render(_: WrappedLogger, __: str, event: MutableMapping[str, Any]) -> str:
    """JSON by msgspec (several times faster than json); values that it refuses (huge integers, odd keys) by
    json and repr.
    """
    try:
        return _encoder.encode(event).decode()
    except (TypeError, ValueError, OverflowError, RecursionError):
        return json.dumps({str(key): value for key, value in event.items()}, default=repr, skipkeys=True)
