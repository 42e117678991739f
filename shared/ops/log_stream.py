"""Writes lines to the log stream, and never waits long for whoever reads it.

In a container the stream is a pipe. If its reader stops (a container runtime that hangs, a full disk), the
pipe is full after 64 KiB, and a plain write waits for ever: the process answers no request, no probe and no
signal, writes nothing more, and is killed.
"""

import os
import select
import stat
import threading
import time
from typing import TextIO

from shared.ops.metrics.process import LOG_LINES_LOST

# Of all time, this share may be waited for the reader, and so long without a break.
_WAIT_SHARE_MAX = 0.1
_WAIT_SECONDS_MAX = 1.0


class LineWriter:
    """Writes whole lines, each at once: a line in a buffer is lost with a killed process.

    A line that cannot be written (closed or full pipe, full disk) must not turn into a failed command: it is
    counted in `log_lines_lost_total` and dropped.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        # A garbage collection may begin while a line is written, and log an error that nobody retrieved.
        self._lock = threading.RLock()
        self._pipe = _pipe_of(stream)

    def write(self, line: str) -> None:
        try:
            with self._lock:
                if self._pipe is None or self._stream.closed:
                    self._stream.write(line + "\n")
                    self._stream.flush()
                else:
                    self._pipe.write(line.encode() + b"\n")
        except (OSError, ValueError, RuntimeError):  # RuntimeError: io's answer to a call within a call
            LOG_LINES_LOST.inc()


class _Pipe:
    """The writing end. While it says that it can be written, PIPE_BUF bytes do not block."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)
        self._patience_seconds = _WAIT_SECONDS_MAX
        self._waited_at = time.monotonic()
        self._is_torn = False

    def write(self, line: bytes) -> None:
        """Raises OSError, also if the reader takes too long; half a line is ended before the next one."""
        rest = memoryview(b"\n" + line if self._is_torn else line)
        while rest:
            self._wait()
            rest = rest[os.write(self._descriptor, rest[: select.PIPE_BUF]) :]
            self._is_torn = len(rest) > 0

    def _wait(self) -> None:
        if self._poll.poll(0):
            return
        began = time.monotonic()
        gained = (began - self._waited_at) * _WAIT_SHARE_MAX
        patience = min(self._patience_seconds + gained, _WAIT_SECONDS_MAX)
        can_be_written = self._poll.poll(patience * 1000)
        self._waited_at = time.monotonic()
        self._patience_seconds = max(patience - (self._waited_at - began), 0.0)
        if not can_be_written:
            raise BlockingIOError("nobody reads the log stream")


def _pipe_of(stream: TextIO) -> _Pipe | None:
    """None: a file or a terminal, which a plain write may wait for."""
    try:
        descriptor = stream.fileno()
        mode = os.fstat(descriptor).st_mode
    except (OSError, ValueError):
        return None
    return _Pipe(descriptor) if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) else None
