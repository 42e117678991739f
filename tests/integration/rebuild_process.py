"""`projector rebuild` as a process with a fault that production code knows nothing of: methods are wrapped.

REBUILD_FAULT is `<kill|pause>-<place>:<n>`, at the n-th call of what `_PLACES` says: SIGKILL, or SIGSTOP
until SIGCONT. The arguments are those of the command.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import psutil

from projector.__main__ import main
from projector.rebuild.opensearch.shadow import OpenSearchShadow
from projector.rebuild.postgres.cache_record import PostgresCacheRecords
from projector.rebuild.postgres.shadow import PostgresShadow
from projector.rebuild.redis.shadow import RedisShadow
from projector.settings import ProjectorSettings
from tests.eventually import eventually
from tests.integration.process_faults import install
from tests.integration.projector_environment import environment_of

_PLACES: dict[str, tuple[Any, str]] = {
    "before-make": (PostgresShadow, "make"),
    "before-index": (PostgresShadow, "finish_loading"),
    "before-switch": (PostgresShadow, "switch"),
    "before-switch-back": (PostgresShadow, "switch_back"),
    "before-drop": (PostgresShadow, "drop"),
    "before-drop-previous": (PostgresShadow, "drop_previous"),
    "before-cache-switch": (RedisShadow, "switch"),
    "before-search-switch": (OpenSearchShadow, "switch"),
    "before-cache-record": (PostgresCacheRecords, "switched"),
}


class RebuildProcess:
    """A rebuild of its own process, to be killed and paused."""

    def __init__(self, settings: ProjectorSettings, *arguments: str, fault: str) -> None:
        # A file: the workers of a rebuild that is killed would hold a pipe open.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `end`
        self.process = subprocess.Popen(
            [sys.executable, __file__, "rebuild", *arguments],
            env={**os.environ, **environment_of(settings), "REBUILD_FAULT": fault},
            stdout=self._output, stderr=subprocess.STDOUT,
        )  # fmt: skip

    async def is_paused(self) -> None:
        """By itself, at its fault."""

        def has_stopped() -> None:
            if self.process.poll() is not None:
                raise RuntimeError(f"the rebuild has ended: {self.printed()}")
            assert psutil.Process(self.process.pid).status() == psutil.STATUS_STOPPED, self.printed()

        await eventually(has_stopped)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    async def has_ended(self) -> tuple[int, str]:
        """The exit code, and all that it printed."""

        def code() -> int:
            found = self.process.poll()
            assert found is not None, self.printed()
            return found

        return await eventually(code), self.printed()

    def printed(self) -> str:
        """On standard output and error. Reads without a seek: the process shares the place in the file."""
        file = self._output.fileno()
        return os.pread(file, os.fstat(file).st_size, 0).decode()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._output.close()


@contextmanager
def rebuild_process(settings: ProjectorSettings, *arguments: str, fault: str) -> Iterator[RebuildProcess]:
    process = RebuildProcess(settings, *arguments, fault=fault)
    try:
        yield process
    finally:
        process.end()


if __name__ == "__main__":
    install(os.environ["REBUILD_FAULT"], _PLACES)
    sys.exit(main())
