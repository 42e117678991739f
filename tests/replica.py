"""A streaming replica of the PostgreSQL of the tests: a real one, made with `pg_basebackup`."""

import os
import subprocess
from collections.abc import Mapping

from deploy.local.ports import HOST
from deploy.local.postgres import SUPERUSER, PostgresServer, postgres_answers
from deploy.local.server import Command
from tests.servers import POSTGRES_SETTINGS
from tests.superuser import superuser_of

_SETTINGS = {**POSTGRES_SETTINGS, "wal_retrieve_retry_interval": "200ms", "shared_buffers": "64MB"}


class PostgresReplica(PostgresServer):
    """All databases of `primary`, a moment later, in a folder beside its own. `settings` as for a server.

    Several on one port have a `host` each, for a pooler that balances: it takes many hosts, and one port.
    """

    def __init__(
        self, primary: PostgresServer, host: str, port: int, settings: Mapping[str, str] | None = None
    ) -> None:
        folder, name = primary.log_file.parent, f"replica-{host}-{port}"
        every = {**_SETTINGS, "listen_addresses": host, **(settings or {})}
        super().__init__(folder / name, port, folder / f"{name}.log", settings=every)
        self._primary = primary
        self.host = host

    def dsn(self, role: str, database: str) -> str:
        return f"postgresql://{role}:{role}@{self.host}:{self.port}/{database}"

    def is_ready(self) -> bool:
        return postgres_answers(self.port, self.host)

    def superuser_password(self) -> str:
        """The primary's: roles are copied, too."""
        return self._primary.superuser_password()

    def after_first_ready(self) -> None:
        """The roles are there; nothing can be written."""

    def pause_replay(self) -> None:
        """From now on readers see what was replayed until now; the log still arrives."""
        superuser_of(self).run("SELECT pg_wal_replay_pause()")
        superuser_of(self).run(
            "DO $$ BEGIN WHILE pg_get_wal_replay_pause_state() <> 'paused'"
            " LOOP PERFORM pg_sleep(0.01); END LOOP; END $$"
        )

    def resume_replay(self) -> None:
        """What waits is replayed at once."""
        superuser_of(self).run("SELECT pg_wal_replay_resume()")

    def promote(self) -> None:
        """It becomes a primary of its own, and its sessions go on."""
        superuser_of(self).run("SELECT pg_promote()")

    def _init_cluster(self) -> None:
        self.data_dir.mkdir(mode=0o700, exist_ok=True)
        if self._identity is not None:
            os.chown(self.data_dir, self._identity.uid, self._identity.gid)
        program = str(self._programs / "pg_basebackup")
        argv = [program, "-D", str(self.data_dir), "-h", HOST, "-p", str(self._primary.port)]
        argv += ["-U", SUPERUSER, "-R", "-X", "stream", "-c", "fast"]
        command = Command(argv, directory=self.data_dir.parent, identity=self._identity)
        done = subprocess.run(
            command.guarded_argv(self.orphan_signal), cwd=command.directory, stdin=subprocess.DEVNULL,
            env={**os.environ, "PGPASSWORD": self._primary.superuser_password()},
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
