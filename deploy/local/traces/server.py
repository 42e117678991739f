"""The receiver of traces as a server of the stack."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.local.http_answer import answers_ok
from deploy.local.ports import HOST
from deploy.local.server import Command, Progress, Server, silent

_DELAY_MILLISECONDS = "500"
_QUEUED_SPANS = "16384"
"""An import makes thousands of spans in a second, and here every request is sampled."""


class TraceServer(Server):
    """Keeps the newest spans in `file`."""

    def __init__(
        self, file: Path, port: int, root: Path, log_file: Path, progress: Progress = silent
    ) -> None:
        super().__init__("traces", log_file, progress)
        self.file = file
        self.port = port
        self._root = root

    @property
    def settings_of_processes(self) -> Mapping[str, str]:
        """The settings of a process that sends its spans here, soon: somebody is waiting for them."""
        defaults = {"OTEL_BSP_SCHEDULE_DELAY": _DELAY_MILLISECONDS, "OTEL_BSP_MAX_QUEUE_SIZE": _QUEUED_SPANS}
        wanted = {name: os.environ.get(name, default) for name, default in defaults.items()}
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{HOST}:{self.port}", **wanted}

    def command(self) -> Command:
        """The same at every start."""
        argv = [sys.executable, "-m", "deploy.local.traces.receiver", str(self.port), str(self.file)]
        return Command(argv, directory=self._root)

    def is_ready(self) -> bool:
        """True if it answers."""
        return answers_ok(self.port, "/")
