"""The local issuer as a server of the stack, and the settings that its tokens need."""

import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.local.http_answer import answers_ok
from deploy.local.issued_tokens import AUDIENCE
from deploy.local.ports import HOST
from deploy.local.server import Command, Progress, Server, silent


class IssuerProcess(Server):
    """Keys and tokens are in `folder`, and survive a restart."""

    def __init__(
        self, folder: Path, port: int, root: Path, log_file: Path, progress: Progress = silent
    ) -> None:
        super().__init__("issuer", log_file, progress)
        self.folder = folder
        self.port = port
        self._root = root

    @property
    def access_settings(self) -> Mapping[str, str]:
        """The settings of a process that accepts the tokens."""
        return {"AUTH_ISSUER": f"http://{HOST}:{self.port}", "AUTH_AUDIENCE": AUDIENCE}

    def command(self) -> Command:
        """The issuer; the same command at every start."""
        argv = [sys.executable, "-m", "deploy.local.issuer", str(self.port), str(self.folder)]
        return Command(argv, directory=self._root)

    def is_ready(self) -> bool:
        """True if it gives its keys."""
        return answers_ok(self.port, "/jwks")
