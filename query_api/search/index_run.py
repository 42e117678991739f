"""One index that follows the topic of states, from its checkpoint on, through outages.

A commit costs about 20 ms however few states it has, so states are gathered: for a short time while the index
is at the end of the topic, shorter while a reader waits for its write, and in large batches until then.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar
from uuid import UUID

from query_api.errors import SearchUnavailable
from query_api.search.commit_pace import CommitPace
from query_api.search.feed_limits import FeedLimits
from query_api.search.feed_ports import (
    IndexMustBeRebuilt,
    NoStateTopic,
    ReadStates,
    StateReading,
    StatesUnavailable,
    StateTopic,
)
from query_api.search.ports import IndexCheckpoint, IndexedState, ProductIndex
from query_api.search.progress import IndexProgress
from shared.ops.concurrency.waits import cancelled, pause
from shared.ops.error_text import named
from shared.ops.logs import get_logger
from shared.ops.metrics.search import SEARCH_INDEX_COMMIT_SECONDS, SEARCH_INDEX_COMMITTED_STATES

T = TypeVar("T", bound=ProductIndex)
UNTRIED = "the topic of states was not read yet"
_log = get_logger(__name__)


class IndexRun(Generic[T]):
    """`former_logs`: ids of logs that are no more; states of theirs are left out. `progress` is set once the
    index is live. `clock` gives Unix seconds.
    """

    def __init__(
        self,
        index: T,
        topic: StateTopic,
        limits: FeedLimits,
        *,
        former_logs: Collection[UUID] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.index = index
        self.caught_up = asyncio.Event()
        self.progress: IndexProgress | None = None
        self.trouble: str | None = UNTRIED
        self.trouble_since: float = clock()
        self.lacks_topic = False
        checkpoint = index.checkpoint
        self.complete_at = None if checkpoint is None else checkpoint.saved_at
        self.log_id = checkpoint.log_id if checkpoint else None
        self.positions = dict(checkpoint.log_positions) if checkpoint else {}
        self._former_logs = frozenset(former_logs)
        self._topic = topic
        self._limits = limits
        self._clock = clock
        self._reading: StateReading | None = None
        self._waiting: list[IndexedState] = []
        self._waiting_bytes = 0
        self._refresh_seconds = limits.refresh_seconds
        self._pace = CommitPace(limits, clock)
        self._seen: dict[int, int] = {}
        self._moved: Mapping[int, int] = {}
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="search-index")
        self._task: asyncio.Task[None] | None = None
        self._closing: asyncio.Future[None] | None = None

    def start(self) -> "asyncio.Task[None]":
        """The task ends with `IndexMustBeRebuilt`, or is cancelled by `close`."""
        self._task = asyncio.create_task(self._run(), name="search-index")
        return self._task

    async def close(self) -> None:
        """Stop, and let go of the folder. Call it again if it was cancelled.

        Raises `SearchUnavailable` if the last commit could not be ended.
        """
        if self._task is not None:
            await cancelled(self._task)
        if self._closing is None:
            self._closing = asyncio.get_running_loop().run_in_executor(self._thread, self.index.close)
            self._thread.shutdown(wait=False)
        await asyncio.shield(self._closing)

    def lag_states(self) -> int | None:
        """States that the index lacks, about; None while the topic cannot be asked."""
        lag = None if self._reading is None else self._reading.lag()
        if lag is None or lag.silent_seconds > self._limits.silent_seconds_max:
            return None
        return sum(lag.offsets.values()) + len(self._waiting)

    def check(self) -> None:
        """Raises `StatesUnavailable` with the reason while the index does not follow."""
        if self.trouble is not None:
            raise StatesUnavailable(self.trouble)
        silent = 0.0 if self._reading is None else self._reading.lag().silent_seconds
        if silent > self._limits.silent_seconds_max:
            raise StatesUnavailable(f"Kafka has not answered for {silent:.0f} s")

    async def _run(self) -> None:
        while True:
            try:
                await self._follow()
            except IndexMustBeRebuilt as error:
                self.trouble = str(error)
                raise
            except Exception as error:
                self._tell(error)
            await asyncio.sleep(self._limits.retry_seconds)

    async def _follow(self) -> None:
        """From the checkpoint on, until an error."""
        self._waiting, self._waiting_bytes, self._seen, self._moved = [], 0, {}, {}
        checkpoint = self.index.checkpoint
        self.positions = dict(checkpoint.log_positions) if checkpoint else {}
        if checkpoint is not None and self._clock() - checkpoint.saved_at > self._limits.age_seconds_max:
            raise IndexMustBeRebuilt("its last commit is so old that the topic may have forgotten deletions")
        reading = await self._topic.open(checkpoint)
        try:
            self._reading = reading
            self._pace = CommitPace(self._limits, self._clock)
            catch_up_states = self._limits.catch_up_states(reading.offset_count)
            while True:
                states_max = self._limits.states_max if self.caught_up.is_set() else catch_up_states
                wanted = max(1, states_max - len(self._waiting))
                await self._gather()
                read = await reading.read(self._read_seconds(), wanted)
                self._take(read)
                self._told_well()
                self._moved = self._positions_at_end(read)
                if len(self._waiting) >= states_max or self._is_due(read):
                    await self._commit(read.next_offsets)
                elif self._pace.since() >= self._refresh_seconds:
                    await self._refresh()
                self._look_at_end(read, reading)
                await reading.check()
        finally:
            self._reading = None
            await reading.close()

    def _take(self, read: ReadStates) -> None:
        for state, log_id in read.states:
            if log_id in self._former_logs:
                continue
            if self.log_id is None:
                self.log_id = log_id
            elif log_id not in (None, self.log_id):
                text = f"the states are of log {log_id}, the index is of log {self.log_id}"
                raise IndexMustBeRebuilt(text, former_log=self.log_id)
            self._waiting.append(state)
            self._seen[state.partition] = max(state.log_position, self._seen.get(state.partition, -1))
        self._waiting_bytes += read.document_bytes

    def _due_in(self) -> float:
        is_awaited = self.progress is not None and self.progress.waiting > 0
        return self._pace.due_in(self._limits.awaited_commit_seconds if is_awaited else None)

    def _has_news(self) -> bool:
        return bool(self._waiting or self._moved)

    async def _gather(self) -> None:
        """Rest until the commit is nearly due or a reader begins to wait; the client fetches meanwhile."""
        if self.progress is not None and self._has_news():
            turns_seconds = 2 * self._limits.awaited_commit_seconds
            await pause(max(0.0, self._due_in() - turns_seconds), self.progress.is_awaited)

    def _read_seconds(self) -> float:
        # Until the end of the topic is reached, no commit is due by time. A read that must not wait returns
        # without a turn of the loop, which also fetches from Kafka: it would stand still for a minute.
        if not self.caught_up.is_set() or not self._has_news():
            return self._limits.read_seconds_max
        # In short turns: a reader that begins to wait makes the commit due sooner.
        return min(max(self._due_in(), 0.0), self._limits.awaited_commit_seconds)

    def _is_due(self, read: ReadStates) -> bool:
        limits = self._limits
        if self._waiting_bytes >= limits.bytes_max:
            return True
        if not self.caught_up.is_set():
            return self._is_at_end(read)
        if not self._has_news():
            return self._pace.since() >= limits.idle_commit_seconds
        self._pace.has_news()
        return self._due_in() <= 0

    def _is_at_end(self, read: ReadStates) -> bool:
        """Of what the topic had when the reading began."""
        assert self._reading is not None
        return all(read.next_offsets.get(at, 0) >= end for at, end in self._reading.ends.items())

    def _positions_at_end(self, read: ReadStates) -> Mapping[int, int]:
        """Those that a commit would move on: of partitions that were read to their end (`progress.py`)."""
        seen = {at: seen for at, seen in self._seen.items() if at in read.drained}
        return {at: position for at, position in seen.items() if position > self.positions.get(at, -1)}

    async def _commit(self, next_offsets: Mapping[int, int]) -> None:
        """Raises `SearchUnavailable`."""
        states, self._waiting, self._waiting_bytes = self._waiting, [], 0
        moved, self._moved = self._moved, {}
        self.positions.update(moved)
        checkpoint = IndexCheckpoint(dict(next_offsets), dict(self.positions), self.log_id, self._clock())
        with SEARCH_INDEX_COMMIT_SECONDS.time():
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._thread, self.index.apply, states, checkpoint)
        self._pace.committed()
        self._refresh_seconds = self._limits.refresh_seconds
        SEARCH_INDEX_COMMITTED_STATES.inc(len(states))
        if self.progress is not None:
            self.progress.advance(states, moved)

    async def _refresh(self) -> None:
        """Raises `SearchUnavailable`."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self.index.refresh)
        self._refresh_seconds *= 2

    def _look_at_end(self, read: ReadStates, reading: StateReading) -> None:
        if not self._waiting and len(read.drained) == len(reading.ends):
            # A broker that says nothing may have more.
            self.complete_at = self._clock() - reading.lag().silent_seconds
        if not self.caught_up.is_set() and not self._waiting and self._is_at_end(read):
            self.caught_up.set()

    def _told_well(self) -> None:
        if self.trouble is not None:
            _log.info("search index follows the topic")
            self.trouble, self.lacks_topic = None, False

    def _tell(self, error: Exception) -> None:
        reason = named(error)
        if self.trouble is None:
            self.trouble_since = self._clock()
        if reason != self.trouble:
            is_outage = isinstance(error, StatesUnavailable | SearchUnavailable)
            write = _log.warning if is_outage else _log.error
            write("search index does not follow the topic", reason=reason, exc_info=not is_outage)
        self.trouble, self.lacks_topic = reason, isinstance(error, NoStateTopic)
