"""A pool whose connections are counted: a full pool looks like a slow database, and needs another remedy."""

from time import perf_counter
from typing import Any

import asyncpg

from shared.ops.metrics.pools import (
    POOL_ACQUIRE_FAILURES,
    POOL_IN_USE,
    POOL_SIZE,
    POOL_SIZE_MAX,
    POOL_WAIT_SECONDS,
    POOL_WAITING,
)
from shared.telemetry import conventions as c
from shared.telemetry.spans import NOTHING, Attributes
from shared.telemetry.waits import wait


class MeasuredPool(asyncpg.Pool):
    """Counts from `measured_as` on. The gauges ask the pool at the scrape; that takes no query."""

    _callers_waiting = 0
    _named: Attributes = NOTHING

    def measured_as(self, name: str) -> None:
        """Export under this name; the newest pool of a name counts."""
        self._named = {c.POOL: name}
        self._wait_seconds = POOL_WAIT_SECONDS.labels(name)
        self._acquire_failures = POOL_ACQUIRE_FAILURES.labels(name)
        for gauge, measure in (
            (POOL_SIZE_MAX, self.get_max_size),
            (POOL_SIZE, self.get_size),
            (POOL_IN_USE, lambda: self.get_size() - self.get_idle_size()),
            (POOL_WAITING, lambda: self._callers_waiting),
        ):
            gauge.labels(name).set_function(measure)

    async def _acquire(self, timeout: float | None) -> Any:  # noqa: ASYNC109
        """asyncpg calls this for `acquire`, and for `fetch` and the like."""
        began = perf_counter()
        self._callers_waiting += 1
        try:
            with wait(c.WAIT_FOR_CONNECTION, self._named):
                connection = await super()._acquire(timeout)  # type: ignore[misc]  # the stubs lack it
        except Exception:
            self._acquire_failures.inc()
            raise
        finally:
            self._callers_waiting -= 1
        self._wait_seconds.observe(perf_counter() - began)
        return connection
