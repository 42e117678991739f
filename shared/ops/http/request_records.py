"""Counts, times and logs the requests of a port, whichever way they are answered."""

import math

from shared.ops.http.access_lines import AccessLines
from shared.ops.log_limits import LINES_PER_SECOND_MAX
from shared.ops.logs import add_log_fields, get_logger
from shared.ops.metrics.declare import Histogram
from shared.ops.metrics.requests import HTTP_REQUEST_DURATION_SECONDS, HTTP_REQUESTS_IN_FLIGHT

# In log lines; a path may have 32 KB.
_PATH_CHARACTERS_MAX = 512
_log = get_logger(__name__)


class RequestRecords:
    """`in_flight` is counted by who answers. A request that takes `slow_seconds` is logged as a warning.

    Of the lines about requests some are left out under load (`access_lines.py`).
    """

    def __init__(
        self, slow_seconds: float = math.inf, lines_per_second_max: int = LINES_PER_SECOND_MAX
    ) -> None:
        self.in_flight = 0
        self._lines = AccessLines("info", lines_per_second_max)
        self._warnings = AccessLines("warning", lines_per_second_max)
        self._slow_seconds = slow_seconds
        # Bound once: to look up a child by its labels costs more than to count.
        self._durations: dict[tuple[str, str, int], Histogram] = {}
        HTTP_REQUESTS_IN_FLIGHT.set_function(lambda: self.in_flight)

    def failed(self, path: str) -> None:
        """A bug; call it where its exception is handled."""
        _log.exception("request failed", path=path[:_PATH_CHARACTERS_MAX])

    def record(
        self,
        method: str,
        route: str,
        path: str,
        status: int,
        seconds: float,
        *,
        product_id: str | None = None,
    ) -> None:
        """One answer. `method` and `route` have few values: they are labels. `product_id` of the line, where
        it is not among the fields of the request yet.
        """
        key = method, route, status
        durations = self._durations.get(key)
        if durations is None:
            durations = HTTP_REQUEST_DURATION_SECONDS.labels(method, route, str(status))
            self._durations[key] = durations
        durations.observe(seconds)
        # 503 is the answer to an outage, which is logged where it is noticed; 500 is a bug.
        if status >= 500 and status != 503:
            write = _log.error
        elif status == 503 or seconds >= self._slow_seconds:
            if not self._warnings.allow():
                return
            write = _log.warning
        else:
            if not self._lines.allow():
                return
            write = _log.info
        if product_id is not None:
            add_log_fields(product_id=product_id)
        write(
            "request",
            method=method,
            route=route,
            path=path[:_PATH_CHARACTERS_MAX],
            status=status,
            duration_ms=round(seconds * 1000, 3),
        )
