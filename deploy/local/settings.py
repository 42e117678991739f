"""The settings of the stack, from the environment and `.env`: ports, and addresses of the user's servers."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from deploy.local.errors import LocalStackError
from deploy.local.prometheus_program import find_prometheus
from shared.ops.secret import secret_text
from shared.ops.secret_files import file_of

DEFAULT_PORTS: Mapping[str, int] = {
    "POSTGRES_PORT": 15432,
    "REDIS_PORT": 16379,
    "KAFKA_PORT": 19092,
    "KAFKA_CONTROLLER_PORT": 19093,
    "SMTP_PORT": 11025,
    "COMMAND_PORT": 8000,
    "QUERY_PORT": 8001,
    "COMMAND_OPS_PORT": 9100,
    "QUERY_OPS_PORT": 9101,
    "PROJECTOR_OPS_PORT": 9102,
    "RELAY_OPS_PORT": 9103,
    "ISSUER_PORT": 9110,
    "OTLP_PORT": 4318,
    "PROMETHEUS_PORT": 9090,
}
ADDRESSES = (
    "EVENT_STORE_DSN",
    "EVENT_STORE_READ_DSN",
    "EVENT_STORE_MIGRATE_DSN",
    "READ_MODEL_DSN",
    "READ_MODEL_MIGRATE_DSN",
    "REDIS_URL",
    "KAFKA_BOOTSTRAP_SERVERS",
    "SMTP_URL",
    "NOTIFICATION_RECIPIENTS",
    "WEBHOOK_SECRET_KEY",
    "WEBHOOK_NETWORKS_ALLOWED",
    "AUTH_ISSUER",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
)

# In a `make shell`: the names of the addresses that the user had set before, after a first word.
SHELL_MARK = "CATALOGUE_SHELL"


@dataclass(frozen=True)
class ProcessKind:
    """One of our processes: `python -m` with these arguments, listening on these ports."""

    arguments: tuple[str, ...]
    ops_port: str
    http_port: str | None = None
    ready_seconds_max: float = 60.0

    @property
    def ports(self) -> set[str]:
        """The names of the settings of its ports."""
        return {self.ops_port, *([self.http_port] if self.http_port else [])}


PROCESSES: Mapping[str, ProcessKind] = {
    "command-api": ProcessKind(("command_api", "serve"), "COMMAND_OPS_PORT", "COMMAND_PORT"),
    "relay": ProcessKind(("command_api", "relay"), "RELAY_OPS_PORT"),
    # With a SEARCH_URL it makes a missing index from the log first: minutes for 100,000 products.
    "projector": ProcessKind(("projector", "run"), "PROJECTOR_OPS_PORT", ready_seconds_max=900.0),
    # Without an index of its release it reads all products first: minutes for a million.
    "query-api": ProcessKind(("query_api", "serve"), "QUERY_OPS_PORT", "QUERY_PORT", ready_seconds_max=900.0),
}


@dataclass(frozen=True)
class StackSettings:
    """The folder of the stack, its ports, and the servers that the user runs."""

    root: Path
    ports: Mapping[str, int]
    own: Mapping[str, str]
    """Addresses that the user has set; a server with an address here is not started."""
    without: frozenset[str] = frozenset()
    """Processes that are not started because the user runs them, under a debugger for example."""
    is_secure: bool = False
    """Whether callers need a token, as in the running stack, or in the last one."""
    is_observed: bool = False
    """Whether traces are kept, as in the running stack, or in the last one."""

    @classmethod
    def read(cls, root: Path) -> "StackSettings":
        """The environment wins over `root/.env`, which wins over the defaults. Raises LocalStackError."""
        given = {name: value for name, value in dotenv_values(root / ".env").items() if value}
        given |= {name: value for name, value in os.environ.items() if value}
        ports = {name: _port(name, given.get(name, str(port))) for name, port in DEFAULT_PORTS.items()}
        # The other addresses in a `make shell` are those of the stack itself.
        may_be_own = os.environ.get(SHELL_MARK, " ".join(ADDRESSES)).split()
        own = {name: value for name in ADDRESSES if name in may_be_own and (value := _own(name, given))}
        folder = root / ".local"
        marks = (secure_mark(folder).exists(), observed_mark(folder).exists())
        return cls(root, ports, own, is_secure=marks[0], is_observed=marks[1])

    @property
    def folder(self) -> Path:
        """The folder of everything that the stack writes; `make clean` removes it."""
        return self.root / ".local"

    @property
    def data(self) -> Path:
        """The data of the servers, which survives a stop."""
        return self.folder / "data"

    @property
    def logs(self) -> Path:
        """One log file per server and process."""
        return self.folder / "logs"

    @property
    def starts_postgres(self) -> bool:
        """PostgreSQL is needed unless both databases are the user's own."""
        return not {"EVENT_STORE_DSN", "READ_MODEL_DSN"} <= self.own.keys()

    @property
    def starts_redis(self) -> bool:
        """Redis is the user's own where REDIS_URL is set."""
        return "REDIS_URL" not in self.own

    @property
    def starts_kafka(self) -> bool:
        """Kafka is the user's own where KAFKA_BOOTSTRAP_SERVERS is set."""
        return "KAFKA_BOOTSTRAP_SERVERS" not in self.own

    @property
    def starts_mail(self) -> bool:
        """Mails go to the user's own server where SMTP_URL is set."""
        return "SMTP_URL" not in self.own

    @property
    def starts_issuer(self) -> bool:
        """Tokens are from the user's own issuer where AUTH_ISSUER is set."""
        return self.is_secure and "AUTH_ISSUER" not in self.own

    @property
    def starts_traces(self) -> bool:
        """Spans go to the user's own receiver where OTEL_EXPORTER_OTLP_ENDPOINT is set."""
        return self.is_observed and "OTEL_EXPORTER_OTLP_ENDPOINT" not in self.own

    @property
    def starts_prometheus(self) -> bool:
        """It comes with --observe, where the program is."""
        return self.is_observed and find_prometheus() is not None

    @property
    def traces(self) -> Path:
        """The spans that the receiver of traces has got, in one file."""
        return self.folder / "traces" / "traces.db"

    @property
    def tokens(self) -> Path:
        """A token of the local issuer for each role, one file each."""
        return self.folder / "tokens"

    @property
    def mails(self) -> Path:
        """The mails that the mail catcher has accepted, one file each."""
        return self.folder / "mail"

    def ports_to_bind(self) -> dict[str, int]:
        """The ports of the servers and processes that are started here."""
        skipped: set[str] = set()
        skipped |= set() if self.starts_postgres else {"POSTGRES_PORT"}
        skipped |= set() if self.starts_redis else {"REDIS_PORT"}
        skipped |= set() if self.starts_kafka else {"KAFKA_PORT", "KAFKA_CONTROLLER_PORT"}
        skipped |= set() if self.starts_mail else {"SMTP_PORT"}
        skipped |= set() if self.starts_issuer else {"ISSUER_PORT"}
        skipped |= set() if self.starts_traces else {"OTLP_PORT"}
        skipped |= set() if self.starts_prometheus else {"PROMETHEUS_PORT"}
        skipped |= {port for name in self.without for port in PROCESSES[name].ports}
        return {name: port for name, port in self.ports.items() if name not in skipped}


def secure_mark(folder: Path) -> Path:
    """The file that says to commands in other terminals that the stack asks for tokens."""
    return folder / "secure"


def observed_mark(folder: Path) -> Path:
    """The file that says to commands in other terminals that the stack keeps traces."""
    return folder / "observed"


def _own(name: str, given: Mapping[str, str]) -> str | None:
    """An address, or the text of the file that contains it."""
    try:
        path = file_of(given, name, "_FILE")
        return given.get(name) if path is None else secret_text(path)
    except ValueError as error:
        raise LocalStackError(f"{name}_FILE: {error}") from error


def _port(name: str, value: str) -> int:
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise LocalStackError(f"{name} is {value!r}: it must be a port from 1 to 65535")
    return int(value)
