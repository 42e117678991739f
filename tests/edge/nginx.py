"""nginx as a process of the test; where it is not installed, its tests are skipped (docs/testing.md)."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

from deploy.local.ports import HOST
from deploy.local.server import Command, Server
from tests.edge.configuration import Ports


def nginx_program() -> str | None:
    """From NGINX or PATH; Debian has it in /usr/sbin, which is not on everybody's PATH."""
    return os.environ.get("NGINX") or shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")


class Nginx(Server):
    """With a configuration that was made; `ports` are those in it."""

    def __init__(self, folder: Path, ports: Ports, text: str) -> None:
        super().__init__("nginx", folder / "nginx.log")
        self._folder = folder
        self._text = text
        self.ports = ports

    def prepare(self) -> None:
        """The file. As root, the workers would otherwise be a user who may not read the test's folder."""
        self._folder.mkdir(parents=True, exist_ok=True)
        user = "user root;\n" if os.geteuid() == 0 else ""
        (self._folder / "nginx.conf").write_text(user + self._text)

    def command(self) -> Command:
        """In the foreground, with messages on standard error from the first moment."""
        program = nginx_program()
        assert program is not None, "nginx is not installed"
        file = str(self._folder / "nginx.conf")
        return Command([program, "-p", str(self._folder), "-e", "stderr", "-c", file])

    def is_ready(self) -> bool:
        """True if it listens. The connection is closed without a handshake."""
        try:
            with socket.create_connection((HOST, self.ports.https), timeout=1):
                return True
        except OSError:
            return False


def version() -> str:
    """What `nginx -v` says."""
    program = nginx_program()
    assert program is not None, "nginx is not installed"
    return subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stderr.strip()
