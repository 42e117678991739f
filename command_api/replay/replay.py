"""Publishes a range of the log to any topic, marked as a replay, for consumers that are new or lost their
data.

The relay's rules hold here, too: in log order, counted only when confirmed, never past an unconfirmed event.
A replay has no cursor: the next one can continue after `Tally.confirmed_position`, and repeats at most a
chunk.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from command_api.relay.ports import Chunk, Publisher
from command_api.replay.pace import Pace
from command_api.replay.ports import ReplayLog, Selection
from shared.ops.concurrency.waits import beside, pause, run_until


@dataclass(slots=True)
class Tally:
    """The progress: all selected events up to `confirmed_position` are confirmed; `events` is their
    number.
    """

    confirmed_position: int
    events: int = 0


class _Run(NamedTuple):
    """A chunk ready to send, and the position up to which there is no other selected event."""

    chunk: Chunk
    scanned_to: int


class Replay:
    """The use case. `progress` is called with each new tally; `now` is a clock in seconds.

    After a stop the chunk in flight may take `finish_seconds_max` more; then it counts as unconfirmed.
    """

    def __init__(
        self,
        log: ReplayLog,
        selection: Selection,
        *,
        chunk_events_max: int,
        pace: Pace,
        now: Callable[[], float],
        progress: Callable[[Tally], None] = lambda _: None,
        finish_seconds_max: float = 3.0,
    ) -> None:
        self.tally = Tally(selection.first - 1)
        self._log = log
        self._selection = selection
        self._chunk_events_max = pace.turn_events_max(chunk_events_max)
        self._pace = pace
        self._now = now
        self._progress = progress
        self._finish_seconds_max = finish_seconds_max

    @property
    def is_complete(self) -> bool:
        """Whether all selected events are confirmed."""
        return self.tally.confirmed_position >= self._selection.last

    async def publish(self, publisher: Publisher, stop: asyncio.Event) -> None:
        """Send the selected events, until done or `stop`. Raises `RelayError`; the tally is correct even
        then.

        The topic is verified even if there is nothing to send: a wrong name must not look like success.
        """
        try:
            await publisher.start()
            publishing = self._publish(publisher, stop)
            await run_until(stop.wait(), publishing, finish_seconds_max=self._finish_seconds_max)
        finally:
            await publisher.stop()

    async def count(self, stop: asyncio.Event) -> None:
        """Count the selected events in the tally; send nothing."""
        while not (self.is_complete or stop.is_set()):
            events, scanned_to = await self._log.count_after(self.tally.confirmed_position, self._selection)
            self._reached(scanned_to, events)

    async def _publish(self, publisher: Publisher, stop: asyncio.Event) -> None:
        """Reads and encodes the next chunk while Kafka confirms the present one, as the relay does."""
        run = await self._next(publisher, self.tally.confirmed_position)
        while not self.is_complete:
            async with beside(self._next(publisher, run.scanned_to)) as following:
                await pause(self._pace.wait_seconds(self._now(), len(run.chunk.events)), stop)
                if stop.is_set():
                    return
                await self._send(publisher, run)
                run = await following

    async def _next(self, publisher: Publisher, log_position: int) -> _Run:
        if log_position >= self._selection.last:
            return _Run(publisher.prepare(()), log_position)
        events, scanned_to = await self._log.read_after(log_position, self._selection, self._chunk_events_max)
        return _Run(publisher.prepare(events), scanned_to)

    async def _send(self, publisher: Publisher, run: _Run) -> None:
        events = run.chunk.events
        confirmed, failure = (await publisher.publish(run.chunk)) if events else (0, None)
        # The positions between two selected events count as done together with the first of them.
        reached = run.scanned_to if confirmed == len(events) else events[confirmed].log_position - 1
        self._reached(reached, confirmed)
        if failure is not None:
            raise failure

    def _reached(self, log_position: int, events: int) -> None:
        self.tally.confirmed_position = log_position
        self.tally.events += events
        self._progress(self.tally)
