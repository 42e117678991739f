"""Metrics that several processes export; their names are only here, so that they are the same everywhere.

A metric of one process is declared beside the code that changes it. Labels are bounded sets: a route
template, never a path; a policy name, never a product.
"""

import asyncio
import time
from collections import deque

from prometheus_client import Counter, Gauge, Histogram

from shared.ops.concurrency.waits import pause
from shared.ops.version import service_revision

BUILD_INFO = Gauge(
    "build_info", "Always 1; the labels name the process and its build.", ["process", "version", "revision"]
)
RETRIES = Counter("retries_total", "Retries after a transient error.", ["policy"])
EVENT_LOOP_LAG_SECONDS = Gauge(
    "event_loop_lag_seconds", "Longest delay of a timer on the event loop in the last 15 seconds."
)
LOG_LINES_LOST = Counter("log_lines_lost_total", "Log lines that could not be written to the log stream.")
LOG_LINES_SUPPRESSED = Counter(
    "log_lines_suppressed_total",
    "Repeated warnings and errors of libraries that were not written to the log.",
)
HTTP_REQUEST_DURATION_SECONDS = Histogram(
    "http_server_request_duration_seconds",
    "Time from the first byte of a request to the last byte of its answer.",
    ["method", "route", "status"],
    # From a cache hit (below a millisecond) to a request that waited for its consistency token (seconds).
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)

_LAG_SAMPLE_SECONDS = 0.25
_LAG_WINDOW_SAMPLES = 60


def build_info(process: str, version: str) -> None:
    """Export `build_info{process, version, revision} 1`, called once at start."""
    BUILD_INFO.labels(process, version, service_revision()).set(1)


async def watch_event_loop(stop: asyncio.Event) -> None:
    """Measure until `stop` how late the loop runs a timer: a blocked loop delays every request at once.

    The gauge has the longest delay of the last 15 s and not the last sample, because a scrape comes only
    every 15 to 30 s and would miss nearly every stall.
    """
    lags: deque[float] = deque(maxlen=_LAG_WINDOW_SAMPLES)
    while not stop.is_set():
        due = time.monotonic() + _LAG_SAMPLE_SECONDS
        await pause(_LAG_SAMPLE_SECONDS, stop)
        if not stop.is_set():
            lags.append(max(0.0, time.monotonic() - due))
            EVENT_LOOP_LAG_SECONDS.set(max(lags))
