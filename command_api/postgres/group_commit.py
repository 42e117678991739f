"""Group commit: all waiting commands are written in one call, with one lock and one fsync; each has its own
outcome.

There is no timer: the first command is written at once, later ones with the next call. One connection per
process is enough; a second one would only wait for the same lock (measured: adds nothing).

A command that has waited too long, or would, is refused. It was in no call yet, so nothing was written.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

import asyncpg

from command_api.domain.product import Reservation
from command_api.executing.ports import (
    Append,
    AppendOutcome,
    StoreError,
    StoreOverloaded,
    StoreUnavailable,
    VersionConflict,
)
from command_api.postgres.append_call import call_append
from command_api.postgres.append_metrics import watch_queue
from command_api.postgres.append_spans import AppendSpans, Turn
from command_api.postgres.append_wait import AppendWait
from command_api.postgres.waiting_append import WaitingAppend, fail, refuse, settle
from command_api.postgres.writer_connection import CONNECTION_ERRORS, WriterConnection
from shared.ops.logs import get_logger
from shared.ops.metrics.commands import APPEND_SECONDS
from shared.ops.metrics.requests import APPEND_QUEUE
from shared.postgres.errors import is_permanent_data_error, is_unavailable

_log = get_logger(__name__)
# Between two looks for commands that have waited too long.
_LATE_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class GroupCommitLimits:
    """Limits of one process's append queue."""

    batch_commands_max: int = 256
    batch_bytes_max: int = 8 * 1024 * 1024
    queue_commands_max: int = 10_000
    queue_bytes_max: int = 256 * 1024 * 1024
    queue_seconds_max: float = 2.0


class GroupCommit:
    """The queue in front of the append function."""

    def __init__(
        self, connection: WriterConnection, limits: GroupCommitLimits, *, on_commit: Callable[[], None]
    ) -> None:
        self._connection = connection
        self._limits = limits
        self._on_commit = on_commit
        self._queue: deque[WaitingAppend] = deque()
        self._queue_bytes = 0
        self._writing: asyncio.Task[None] | None = None
        watch_queue(lambda: self._queue)
        self._wait = AppendWait(limits.batch_commands_max)
        self._late_timer: asyncio.TimerHandle | None = None

    async def submit(self, append: Append) -> AppendOutcome:
        """Queue one command and wait for its outcome. Raises a `StoreError`."""
        size_bytes = sum(len(event.encoded.data) + len(event.metadata) for event in append.events)
        is_full = len(self._queue) >= self._limits.queue_commands_max
        if is_full or self._queue_bytes + size_bytes > self._limits.queue_bytes_max:
            raise StoreOverloaded(APPEND_QUEUE, "too many commands are waiting to be written")
        expected_seconds = append.waited_seconds + self._wait.expected_seconds(len(self._queue))
        if expected_seconds > self._limits.queue_seconds_max:
            raise StoreOverloaded(APPEND_QUEUE, "the commands before this one take too long to be written")
        waiting = WaitingAppend(append, asyncio.get_running_loop().create_future(), size_bytes, Turn.begin())
        self._queue.append(waiting)
        self._queue_bytes += size_bytes
        if self._late_timer is None:
            self._refuse_late_ones()
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        # A client that hangs up cancels only this future: the write of the others goes on.
        return await waiting.outcome

    async def drain(self) -> None:
        """Wait until everything queued has its outcome."""
        while self._writing is not None and not self._writing.done():
            await asyncio.wait([self._writing])

    @property
    def queued_commands(self) -> int:
        """Commands that wait for the next call."""
        return len(self._queue)

    async def _write_all(self) -> None:
        while self._queue:
            batch = self._next_batch()
            spans = AppendSpans.begin((one.turn for one in batch), self._connection.what_it_waits_for)
            began = monotonic()
            try:
                await self._write(batch)
            except Exception as error:  # each client gets the error of a bug, and does not wait for ever
                _log.exception("append failed", commands=len(batch))
                fail(batch, error)
            self._wait.note_call(monotonic() - began)
            if spans is not None:
                spans.end([(waiting.turn, waiting.append, waiting.outcome) for waiting in batch])

    def _refuse_late_ones(self) -> None:
        """Refuse the commands that have waited too long, and look again soon: some have waited before.

        A command of a broken call is left: its client has waited for the outcome of that call, too.
        """
        seconds_max, now = self._limits.queue_seconds_max, monotonic()
        late: list[WaitingAppend] = []
        others: deque[WaitingAppend] = deque()
        for one in self._queue:
            is_late = now - one.waits_since >= seconds_max and not one.was_reconciled
            (late if is_late else others).append(one)
        if late:
            self._queue = others
            self._queue_bytes -= sum(one.size_bytes for one in late)
            refuse(late, StoreOverloaded(APPEND_QUEUE, "the command has waited too long to be written"))
        loop = asyncio.get_running_loop()
        self._late_timer = (
            loop.call_later(_LATE_LOOK_SECONDS, self._refuse_late_ones) if self._queue else None
        )

    def _next_batch(self) -> list[WaitingAppend]:
        """The next commands of the queue, of which no two concern the same product, key, slug or SKU.

        Two commands for one product in one set-based statement would corrupt its stream row. A command that
        has to wait keeps its place in the queue, and so do later commands that concern the same names.
        """
        batch: list[WaitingAppend] = []
        deferred: list[WaitingAppend] = []
        seen: set[UUID | Reservation] = set()
        size_bytes = 0
        while self._queue and len(batch) < self._limits.batch_commands_max:
            waiting = self._queue.popleft()
            touched = waiting.append.touches
            size_bytes += waiting.size_bytes
            if batch and size_bytes > self._limits.batch_bytes_max:
                deferred.append(waiting)
                break
            (deferred if seen & touched else batch).append(waiting)
            seen |= touched
        self._queue.extendleft(reversed(deferred))
        self._queue_bytes -= sum(waiting.size_bytes for waiting in batch)
        return batch

    async def _write(self, batch: list[WaitingAppend]) -> None:
        try:
            connection = await self._connection.get()
        except (OSError, TimeoutError, *CONNECTION_ERRORS) as error:
            self._connection.drop()
            fail(batch, StoreUnavailable("the event store cannot be reached"), error)
            return
        if not (batch := self._of_this_session(batch)):
            return
        try:
            with APPEND_SECONDS.time():
                outcomes = await call_append(connection, [waiting.append for waiting in batch])
        except (OSError, TimeoutError, ValueError, *CONNECTION_ERRORS) as error:
            is_closed = connection.is_closed() or isinstance(error, asyncpg.InternalClientError)
            await self._after_failure(batch, error, is_closed)
            return
        self._on_commit()
        settle(batch, outcomes)

    def _of_this_session(self, batch: list[WaitingAppend]) -> list[WaitingAppend]:
        """Without commands that were decided on a state of an earlier session: the log may be another one."""
        present = self._connection.session
        lost = [one for one in batch if one.append.known_in not in (None, present)]
        for waiting in lost:
            settle([waiting], [VersionConflict(waiting.append.expected_version)])
        return [one for one in batch if one not in lost] if lost else batch

    async def _after_failure(self, batch: list[WaitingAppend], error: Exception, is_closed: bool) -> None:
        if is_closed or isinstance(error, OSError | TimeoutError) or _is_shutdown(error):
            await self._reconcile(batch, error)
        elif isinstance(error, asyncpg.CheckViolationError):
            # The log has no other checks than partition bounds: maintenance is late, or fails.
            _log.critical("the log has no partition for the next position", error=repr(error))
            fail(batch, StoreUnavailable("the log has no room for the next event"), error)
        elif is_permanent_data_error(error) or isinstance(error, asyncpg.InterfaceError | ValueError):
            # One command is invalid, and the server rolled back the whole call: write each alone to find it.
            if len(batch) == 1:
                _log.error("append refused by the store", error=repr(error))
                fail(batch, error)
                return
            for waiting in batch:
                await self._write([waiting])
        elif is_unavailable(error):
            fail(batch, StoreUnavailable("the event store is busy or shutting down"), error)
        else:
            raise error

    async def _reconcile(self, batch: list[WaitingAppend], error: Exception) -> None:
        """The connection broke during the call: read its outcome, answer that, and write the rest again."""
        _log.warning(
            "append connection lost; reading the outcome from the log", commands=len(batch), error=repr(error)
        )
        try:
            written = await self._connection.find_written([waiting.append for waiting in batch])
        except StoreError as unknown:
            fail(batch, unknown, error)
            return
        again: list[WaitingAppend] = []
        for waiting, outcome in zip(batch, written, strict=True):
            if outcome is not None:
                settle([waiting], [outcome])
            elif waiting.was_reconciled:
                fail([waiting], StoreUnavailable("the event store keeps breaking connections"), error)
            else:
                waiting.was_reconciled = True
                again.append(waiting)
        if len(again) < len(batch):
            self._on_commit()
        self._queue.extendleft(reversed(again))
        self._queue_bytes += sum(waiting.size_bytes for waiting in again)


def _is_shutdown(error: Exception) -> bool:
    """57P01 and similar errors may come after the commit, in place of its answer."""
    return isinstance(error, asyncpg.PostgresError) and (error.sqlstate or "").startswith(("57P", "08"))
