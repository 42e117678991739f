"""A PostgreSQL that archives its write-ahead log, for the tests that lose and restore it."""

import hashlib
import json
import shutil
from pathlib import Path

import asyncpg

from deploy.local.ports import HOST, free_port
from deploy.local.postgres import SUPERUSER, PostgresServer
from tests.end_to_end.system import System
from tests.superuser import close_superuser


class Archiving:
    """The server, and the folders beside its data. `lost`: its former data, after `lose`."""

    def __init__(self, folder: Path) -> None:
        settings: dict[str, str] = {"archive_mode": "on"}
        self.server = PostgresServer(folder / "data", free_port(), folder / "postgres.log", settings=settings)
        self.server.prepare()
        self.archive, self.backup, self.lost = (
            self.server.data_dir.with_name(name) for name in ("archive", "backup", "lost")
        )
        self.archive.mkdir()
        self.server.give_away(self.archive)
        settings["archive_command"] = f"test ! -f {self.archive}/%f && cp %p {self.archive}/%f"

    def environment(self) -> dict[str, str]:
        """What the pages about backups presume in a shell."""
        return {
            "PGHOST": HOST,
            "PGPORT": str(self.server.port),
            "PGUSER": SUPERUSER,
            "PGDATABASE": "postgres",
            "PGPASSWORD": self.server.superuser_password(),
            "PGDATA": str(self.server.data_dir),
            "BACKUP": str(self.backup),
            "ARCHIVE": str(self.archive),
            "LOST": str(self.lost),
        }

    def check_backup(self) -> None:
        """Against its manifest, as `pg_verifybackup` does."""
        files = json.loads((self.backup / "backup_manifest").read_text())["Files"]
        assert len(files) > 100
        for one in files:
            name = one["Path"] if "Path" in one else bytes.fromhex(one["Encoded-Path"]).decode()
            path = self.backup / name
            assert path.stat().st_size == one["Size"], path
            algorithm = one["Checksum-Algorithm"].lower()
            if algorithm.startswith("sha"):
                assert hashlib.new(algorithm, path.read_bytes()).hexdigest() == one["Checksum"], path

    def lose(self) -> None:
        """The server dies at once; its data is kept aside."""
        self.server.kill()
        self.server.data_dir.rename(self.lost)

    def start(self) -> None:
        """On data that somebody has put in its place."""
        self.server.give_away(self.server.data_dir)
        self.server.start()

    def is_writable(self) -> None:
        """For `eventually`."""
        assert self.server.run_sql("SELECT pg_is_in_recovery()").strip() == "f"

    def some_is_archived(self) -> None:
        """For `eventually`."""
        assert int(self.server.run_sql("SELECT archived_count FROM pg_stat_archiver")) > 0

    def drop(self) -> None:
        """Ends the server; its folders go with the test's."""
        close_superuser(self.server)
        self.server.stop()
        shutil.rmtree(self.lost, ignore_errors=True)


async def log_id_of(system: System) -> str:
    """The id of the installation's log."""
    connection = await asyncpg.connect(system.event_store.owner)
    try:
        return str(await connection.fetchval("SELECT log_id FROM catalogue.event_log"))
    finally:
        await connection.close()
