"""The time series of a run: usage of the processes, lag of the projections, size of the logs."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from tests.load.client import Client, NoAnswer
from tests.load.processes import Processes, Usage, log_bytes


@dataclass(frozen=True)
class Sample:
    """One moment. Lags are those of the projection that is furthest behind; None: unknown at that moment."""

    at_seconds: float
    usage: Mapping[str, Usage]
    lag_events: int | None
    lag_seconds: float | None
    log_bytes: int | None


@dataclass
class Sampler:
    """Takes a sample every `pause_seconds` after `start`, until `stop`."""

    queries: Client
    processes: Processes
    logs: Path
    pause_seconds: float
    samples: list[Sample] = field(default_factory=list)
    _started: float = field(default_factory=time.monotonic)
    _task: "asyncio.Task[None] | None" = None

    @property
    def newest(self) -> Sample | None:
        """For the live line."""
        return self.samples[-1] if self.samples else None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End. Raises the error with which sampling ended, if it did."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def take(self) -> Sample:
        """A sample now. Reading `/proc` takes milliseconds: a thread does it beside the generator."""
        lag_events, lag_seconds = await self._lag()
        usage = await asyncio.to_thread(self.processes.usage)
        sample = Sample(
            time.monotonic() - self._started, usage, lag_events, lag_seconds, log_bytes(self.logs)
        )
        self.samples.append(sample)
        return sample

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self.pause_seconds)
            await self.take()

    async def _lag(self) -> tuple[int | None, float | None]:
        try:
            answer = await self.queries.request("GET", "/v1/status")
        except NoAnswer:
            return None, None
        if answer.status != 200:
            return None, None
        projections: list[dict[str, Any]] = msgspec.json.decode(answer.body)["projections"]
        events = [each["lag_events"] for each in projections]
        seconds = [each["lag_seconds"] for each in projections]
        return _greatest(events), _greatest(seconds)


def _greatest(values: list[Any]) -> Any:
    """None if one is unknown: it may be the greatest."""
    return None if not values or None in values else max(values)
