"""PgBouncer as a process of the test; where it is not installed, its tests are skipped (docs/testing.md)."""

import os
import shutil
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from deploy.local import unprivileged
from deploy.local.ports import HOST
from deploy.local.postgres import LOG_READER, OWNER, PROJECTOR, READER, WRITER
from deploy.local.server import Command, Server

_SERVER_CONNECTIONS = 3
"""For each role and database: fewer than a process has, so that its transactions change sessions."""


def pgbouncer_program(variable: str = "PGBOUNCER") -> str:
    """`.ci/pgbouncer` sets PGBOUNCER and PGBOUNCER_OLD. Skips the test where the program is missing."""
    program = os.environ.get(variable) or (shutil.which("pgbouncer") if variable == "PGBOUNCER" else None)
    if program is None:
        pytest.skip(f'{variable} is not set: eval "$(.ci/pgbouncer)"')
    return program


def version(program: str) -> tuple[int, ...]:
    """Of a program: (1, 24, 1)."""
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(map(int, told.split()[1].split(".")))


class PgBouncer(Server):
    """Leads to every database of the servers at `hosts`, in turn if there are several, as each of our roles.
    All of them have one port.

    `settings` are those of its file that are not the usual ones.
    """

    def __init__(
        self,
        folder: Path,
        port: int,
        to_port: int,
        *,
        hosts: Sequence[str] = (HOST,),
        program: str,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__("pgbouncer", folder / "pgbouncer.log")
        self._folder = folder
        self._to_port = to_port
        self._hosts = hosts
        self._program = program
        self.port = port
        self.settings = dict(settings or {})

    def prepare(self) -> None:
        """Its files. It refuses to run as root, and changes to the user of PostgreSQL by itself."""
        self._folder.mkdir(parents=True, exist_ok=True)
        roles = (OWNER, WRITER, LOG_READER, PROJECTOR, READER)
        (self._folder / "users.txt").write_text("".join(f'"{role}" "{role}"\n' for role in roles))
        settings = {
            "listen_addr": HOST, "listen_port": self.port, "unix_socket_dir": "", "pool_mode": "transaction",
            "auth_type": "scram-sha-256", "auth_file": self._folder / "users.txt",
            "max_client_conn": 500, "default_pool_size": _SERVER_CONNECTIONS, "server_login_retry": 1,
            "server_fast_close": 1, "server_round_robin": 1, "log_connections": 0, "log_disconnections": 0,
            "stats_period": 3600, **self.settings,
        }  # fmt: skip
        lines = [f"{name} = {value}" for name, value in settings.items()]
        text = "\n".join(
            [
                "[databases]",
                f"* = host={','.join(self._hosts)} port={self._to_port}",
                "[pgbouncer]",
                *lines,
                "",
            ]
        )
        (self._folder / "pgbouncer.ini").write_text(text)
        for path in (self._folder, *self._folder.iterdir()):
            path.chmod(0o755 if path.is_dir() else 0o644)

    def command(self) -> Command:
        """In the foreground. The user is changed after its files were read."""
        user = ["-u", "nobody"] if unprivileged.identity_without_root() is not None else []
        return Command([self._program, *user, str(self._folder / "pgbouncer.ini")], directory=self._folder)

    def is_ready(self) -> bool:
        """True if it listens."""
        try:
            with socket.create_connection((HOST, self.port), timeout=1):
                return True
        except OSError:
            return False

    def through(self, dsn: str) -> str:
        """The same address, by way of this pooler."""
        login, _, path = dsn.rpartition("@")
        return f"{login}@{HOST}:{self.port}/{path.partition('/')[2]}"
