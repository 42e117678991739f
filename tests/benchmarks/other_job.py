"""Another job on the machine: a process that keeps one core busy for as long as the benchmark runs.

Users' machines are rarely quiet, and other work changes what a system of many processes costs: a batch that
waits for a core becomes larger.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.server import Command, Server

_PROGRAM = "while True: pass"


class _OtherJob(Server):
    """It ends with the benchmark, however that ends."""

    orphan_signal = signal.SIGKILL

    def command(self) -> Command:
        return Command([sys.executable, "-I", "-S", "-c", _PROGRAM])

    def is_ready(self) -> bool:
        return self.pid is not None


@contextmanager
def other_job(folder: Path) -> Iterator[None]:
    """Runs for the block, on whichever core is free."""
    job = _OtherJob("other-job", folder / "other-job.log")
    job.start()
    try:
        yield
    finally:
        job.kill()
