"""The mail catcher as a server of the stack."""

import socket
import sys
from pathlib import Path

from deploy.local.ports import HOST
from deploy.local.server import Command, Progress, Server, silent


class MailServer(Server):
    """Accepts every mail and keeps it in `folder`; delivers none."""

    def __init__(
        self, folder: Path, port: int, root: Path, log_file: Path, progress: Progress = silent
    ) -> None:
        super().__init__("mail", log_file, progress)
        self.folder = folder
        self.port = port
        self._root = root

    @property
    def url(self) -> str:
        """The address for clients, without TLS."""
        return f"smtp://{HOST}:{self.port}?starttls=never"

    def command(self) -> Command:
        """The mail catcher; the same command at every start."""
        argv = [sys.executable, "-m", "deploy.local.mail_catcher", str(self.port), str(self.folder)]
        return Command(argv, directory=self._root)

    def is_ready(self) -> bool:
        """True if the server sends its greeting."""
        try:
            with socket.create_connection((HOST, self.port), timeout=1) as connection:
                return connection.recv(4) == b"220 "
        except OSError:
            return False
