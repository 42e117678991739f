"""Keeps the live search index: follows the topic of states, and builds the index anew where it has to.

A new index is built beside the live one, which answers searches until the new one has caught up; then one
assignment switches. It is built anew

- in an empty folder, in one that cannot be opened, and after a release that stores products in another way;
- if the topic was made again, or its states are of another log;
- if the last commit is older than half the time for which the topic keeps tombstones: later nobody would
  tell this index that a product was deleted. Such an index answers no search any more;
- if an operator asks for it.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, Literal, NamedTuple, TypeVar
from uuid import UUID

from query_api.errors import SearchUnavailable
from query_api.search.feed_limits import FeedLimits
from query_api.search.feed_ports import IndexMustBeRebuilt, StateTopic
from query_api.search.folders import IndexFolders
from query_api.search.index_run import IndexRun
from query_api.search.live import LiveIndex
from query_api.search.ports import ProductIndex
from query_api.search.progress import IndexProgress
from shared.ops.concurrency.waits import cancelled
from shared.ops.error_text import named
from shared.ops.logs import get_logger
from shared.ops.metrics.search import SEARCH_INDEX_REBUILDS

T = TypeVar("T", bound=ProductIndex)
Reason = Literal["empty", "topic", "old", "operator"]
_log = get_logger(__name__)


class _Held(NamedTuple, Generic[T]):
    """An index and its folder."""

    run: IndexRun[T]
    path: Path
    task: "asyncio.Task[None]"


class IndexFeed(Generic[T]):
    """`open_index` opens or makes the index of a folder. `clock` gives Unix seconds."""

    def __init__(
        self,
        topic: StateTopic,
        folders: IndexFolders,
        open_index: Callable[[Path], T],
        live: LiveIndex[T],
        progress: IndexProgress,
        *,
        limits: FeedLimits,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._topic = topic
        self._folders = folders
        self._open_index = open_index
        self._live = live
        self._progress = progress
        self._limits = limits
        self._clock = clock
        self._asked = asyncio.Event()
        self._held: _Held[T] | None = None
        self._building: _Held[T] | None = None
        self._open: set[_Held[T]] = set()
        self._opening: asyncio.Future[T] | None = None
        self._former_logs: set[UUID] = set()

    def rebuild(self) -> None:
        """An operator asks for a rebuild; nothing more while one runs."""
        if self._building is None:
            self._asked.set()

    @property
    def live_run(self) -> IndexRun[T] | None:
        """The run of the index that answers."""
        return None if self._held is None else self._held.run

    @property
    def building_run(self) -> IndexRun[T] | None:
        """The run of the index that is being built."""
        return None if self._building is None else self._building.run

    async def run(self) -> None:
        """Until cancelled; then all indexes are closed. The folders are open before and after."""
        try:
            reason = await self._open_held()
            while True:
                if reason is not None:
                    await self._build(reason)
                reason = await self._reason_for_another()
        finally:
            await self._close_all()

    async def _open_held(self) -> Reason | None:
        """The index of the last process, if it may still be shown; else why another one is built."""
        path = self._folders.live()
        if path is None:
            return "empty"
        try:
            index = await self._opened(path)
        except Exception as error:
            _log.warning("search index cannot be opened", file=str(path), reason=named(error))
            return "empty"
        checkpoint = index.checkpoint
        is_old = checkpoint is not None and self._is_old(checkpoint.saved_at)
        if checkpoint is None or is_old:
            await asyncio.to_thread(index.close)
            return "old" if is_old else "empty"
        self._switch(self._started(index, path))
        return None

    def _is_old(self, saved_at: float) -> bool:
        return self._clock() - saved_at > self._limits.age_seconds_max

    def _started(self, index: T, path: Path) -> _Held[T]:
        run = IndexRun(
            index, self._topic, self._limits, former_logs=frozenset(self._former_logs), clock=self._clock
        )
        held = _Held(run, path, run.start())
        self._open.add(held)
        return held

    async def _opened(self, path: Path) -> T:
        self._opening = asyncio.get_running_loop().run_in_executor(None, self._open_index, path)
        try:
            return await asyncio.shield(self._opening)
        finally:
            if self._opening.done():
                self._opening = None

    async def _opened_new(self) -> tuple[T, Path]:
        """An empty one; it tries as long as it takes, for example while the disk is full."""
        while True:
            path = self._folders.new()
            try:
                return await self._opened(path), path
            except Exception as error:
                _log.error("search index cannot be opened", file=str(path), reason=named(error))
                await asyncio.to_thread(self._folders.delete, path)
            await asyncio.sleep(self._limits.retry_seconds)

    def _switch(self, held: _Held[T]) -> None:
        self._folders.switch(held.path)
        self._live.switch(held.run.index)
        self._held = held
        held.run.progress = self._progress
        self._progress.begin(held.run.positions)

    async def _reason_for_another(self) -> Reason:
        """Returns when the live index has to be built anew, and why."""
        assert self._held is not None
        asking = asyncio.create_task(self._asked.wait())
        try:
            await asyncio.wait((asking, self._held.task), return_when=asyncio.FIRST_COMPLETED)
            if self._held.task.done():
                return self._why_ended(self._held.task)
            return "operator"
        finally:
            self._asked.clear()
            await cancelled(asking)

    async def _build(self, reason: Reason) -> None:
        """Build another index, as often as needed; then it is live, and the last one is deleted."""
        began = time.monotonic()
        while True:
            SEARCH_INDEX_REBUILDS.labels(reason).inc()
            _log.info("search index is built", reason=reason)
            self._building = built = self._started(*await self._opened_new())
            caught_up = asyncio.create_task(built.run.caught_up.wait())
            try:
                await asyncio.wait((caught_up, built.task), return_when=asyncio.FIRST_COMPLETED)
            finally:
                await cancelled(caught_up)
            if not built.task.done():
                break
            reason = self._why_ended(built.task)
            await self._discard(built)
        last, self._building = self._held, None
        self._switch(built)
        _log.info("search index is built and live", duration_ms=round((time.monotonic() - began) * 1000))
        if last is not None:
            await self._discard(last)

    async def _discard(self, held: _Held[T]) -> None:
        await self._close(held)
        await asyncio.to_thread(self._folders.delete, held.path)

    async def _close(self, held: _Held[T]) -> None:
        try:
            await held.run.close()
        except SearchUnavailable as error:
            _log.warning("search index cannot be closed", file=str(held.path), reason=str(error))
        self._open.remove(held)

    async def _close_all(self) -> None:
        """Also one that was just being opened or closed when the feed was cancelled."""
        if self._opening is not None:
            try:
                index = await self._opening
            except Exception as error:
                _log.warning("search index cannot be opened", reason=named(error))
            else:
                await asyncio.to_thread(index.close)
        for held in list(self._open):
            await self._close(held)

    def _why_ended(self, task: "asyncio.Task[None]") -> Reason:
        error = task.exception()
        if not isinstance(error, IndexMustBeRebuilt):
            assert error is not None, "an index is followed without end"
            raise error
        _log.warning("search index must be rebuilt", reason=str(error))
        if error.former_log is not None:
            self._former_logs.add(error.former_log)
        return "topic"
