"""Every process: its build, event loop, garbage collector, log, and the measurements of its background."""

from shared.ops.metrics.declare import Label, counter, gauge, histogram
from shared.ops.process_names import SERVICES
from shared.ops.version import service_revision

_MEASUREMENT = Label(
    "measurement",
    "what is measured: a fixed name for each background measurement of the process, "
    "such as `consumer groups` or `clock of event store`",
)
_UPKEEP = Label("upkeep", "what is done: a fixed name, such as `log partitions` or `keys of tokens`")

BUILD_INFO = gauge(
    "build_info",
    "always 1",
    "The running build, in its labels.",
    Label("process", "the process", SERVICES),
    Label("version", "the release"),
    Label("revision", "the git revision; `unknown` outside an image"),
)
READY = gauge(
    "process_ready",
    "0 or 1",
    "1 while /readyz answers 200; 0 before the first start is complete, and during a shutdown.",
)
READINESS_CHECK_OK = gauge(
    "readiness_check_ok",
    "0 or 1",
    "1 if the check of /readyz passed when it last ran. A process that has been ready stays ready while one "
    "fails.",
    Label("check", "the name of the check in the body of /readyz: a server, or a projection"),
)
RETRIES = counter(
    "retries_total",
    "retries",
    "Retries after a transient error.",
    Label("policy", "the name of the retry policy in the code; projections have two each"),
)
EVENT_LOOP_LAG_SECONDS = gauge(
    "event_loop_lag_seconds", "seconds", "Longest delay of a timer on the event loop in the last 15 seconds."
)
GARBAGE_COLLECTION_SECONDS = histogram(
    "garbage_collection_seconds",
    "seconds",
    "Time for which a garbage collection stopped the process.",
    Label("generation", "the collected generation; 2 is a full collection", ("0", "1", "2")),
    # Below a tenth of a millisecond nobody notices; above 50 ms one collection breaks the objective of reads.
    buckets=(0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0),
)
CLOCK_SKEW_SECONDS = gauge(
    "clock_skew_seconds",
    "seconds",
    "Clock of the database minus clock of this process. Times of events are the database's, and lags compare "
    "both clocks.",
    Label("database", "the database that was asked", ("event store", "read model")),
)
CERTIFICATE_EXPIRY_TIMESTAMP_SECONDS = gauge(
    "certificate_expiry_timestamp_seconds",
    "seconds since 1970",
    "When the certificate in this file expires; of several, the first. Compare with time().",
    Label("file", "the path, as CERTIFICATE_FILES gives it"),
)
MEASURED_TIMESTAMP_SECONDS = gauge(
    "measured_timestamp_seconds",
    "seconds since 1970",
    "When a background measurement last succeeded. After three failures in a row its gauges are unknown.",
    _MEASUREMENT,
)
MEASUREMENT_FAILURES = counter(
    "measurement_failures_total",
    "attempts",
    "Background measurements that failed or took too long.",
    _MEASUREMENT,
)
UPKEEP_LAST_SUCCESS_TIMESTAMP_SECONDS = gauge(
    "upkeep_last_success_timestamp_seconds",
    "seconds since 1970",
    "When the process last succeeded with work that it repeats in the background; at first: its start.",
    _UPKEEP,
)
UPKEEP_FAILURES = counter(
    "upkeep_failures_total", "attempts", "Attempts of such work that failed; it is tried again.", _UPKEEP
)
LOG_LINES = counter(
    "log_lines_total",
    "lines",
    "Log lines, also those that could not be written; without repeated ones, which are suppressed.",
    Label("level", "how bad it is", ("debug", "info", "warning", "error", "critical")),
    Label(
        "source",
        "kafka_client: the Kafka library, whose errors are often tried again by itself. process: all others",
        ("kafka_client", "process"),
    ),
)
LOG_LINES_LOST = counter(
    "log_lines_lost_total", "lines", "Log lines that could not be written to the log stream."
)
LOG_LINES_SUPPRESSED = counter(
    "log_lines_suppressed_total",
    "lines",
    "Repeated lines that were not written to the log: warnings and errors of libraries, and lines "
    "`access refused`.",
)
ACCESS_LINES_LEFT_OUT = counter(
    "log_access_lines_left_out_total",
    "lines",
    "Lines about answered requests that were not written, because there were more in one second than "
    "ACCESS_LINES_PER_SECOND_MAX.",
)


def build_info(process: str, version: str) -> None:
    """Export `build_info{process, version, revision} 1`, called once at start."""
    BUILD_INFO.labels(process, version, service_revision()).set(1)


TRACE_SPANS = counter(
    "trace_spans_total",
    "spans",
    "Spans of traces, by what became of them.",
    Label(
        "result",
        "exported: the receiver has them. failed: the receiver did not take them. dropped: too many waited",
        ("exported", "failed", "dropped"),
    ),
)


def count_spans(result: str, spans: int) -> None:
    """For `shared/telemetry`, which stands below this package."""
    TRACE_SPANS.labels(result).inc(spans)
