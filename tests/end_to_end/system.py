"""The processes of one installation on free ports: own databases, topics, consumer groups and Redis keys."""

import itertools
import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.kafka import KafkaServer
from deploy.local.ports import HOST, free_port
from deploy.local.postgres import PostgresServer
from deploy.local.process import Job, Process
from deploy.local.redis import RedisServer
from deploy.local.server import Server
from tests.databases import create_database, drop_database
from tests.servers import INSTALLATIONS_REDIS_DATABASE, DatabaseDsns, dsns_of

REPOSITORY = Path(__file__).parents[2]
REDIS_DATABASE = INSTALLATIONS_REDIS_DATABASE
# The settings of production, but for the times that a fault test would have to wait for.
PATIENCE_OF_TESTS = {
    "SESSION_TIMEOUT_SECONDS": "3",  # how long a killed projector's partitions stay with it
    "RETRY_BUDGET_SECONDS": "2",
    "PAUSE_SECONDS": "0.5",
    "RELAY_SEND_SECONDS_MAX": "4",
    "RELAY_RETRY_SECONDS_MAX": "0.5",
    "RELAY_LOCK_WAIT_SECONDS": "0.3",
}


@dataclass(frozen=True)
class Servers:
    """The servers of the installation; tests make faults in them."""

    postgres: PostgresServer
    redis: RedisServer
    kafka: KafkaServer

    def ensure_running(self) -> None:
        """Undo any fault that a test left behind."""
        in_parallel([self.postgres, self.redis, self.kafka], lambda server: server.ensure_running())


class System:
    """One installation. `start` makes its databases, runs both migrations by their commands, and serves."""

    def __init__(
        self,
        servers: Servers,
        folder: Path,
        settings: dict[str, str],
        *,
        read_model_server: PostgresServer | None = None,
    ) -> None:
        self.servers = servers
        self.read_model_server = read_model_server or servers.postgres
        self.prefix = f"e2e{uuid.uuid4().hex[:8]}-"
        self.folder = folder
        self.settings = settings
        self._numbers = itertools.count(1)
        self.event_store = dsns_of(servers.postgres, f"{self.prefix}events")
        self.read_model = dsns_of(self.read_model_server, f"{self.prefix}views")
        self.redis_url = servers.redis.url(REDIS_DATABASE)
        self.ports = {name: free_port() for name in ("COMMAND_PORT", "QUERY_PORT")}
        self.command_api = self._process(
            "command-api", ["command_api", "serve"], "COMMAND_OPS_PORT", self.event_store.writer
        )
        self.relay = self._process(
            "relay", ["command_api", "relay"], "RELAY_OPS_PORT", self.event_store.writer
        )
        self.projector = self._process(
            "projector", ["projector", "run"], "PROJECTOR_OPS_PORT", self.read_model.projector
        )
        self.query_api = self._process(
            "query-api", ["query_api", "serve"], "QUERY_OPS_PORT", self.read_model.reader
        )

    @property
    def processes(self) -> list[Process]:
        """All four processes; a standby relay belongs to the test that starts it."""
        return [self.command_api, self.relay, self.projector, self.query_api]

    @property
    def command_url(self) -> str:
        return f"http://{HOST}:{self.ports['COMMAND_PORT']}"

    @property
    def query_url(self) -> str:
        return f"http://{HOST}:{self.ports['QUERY_PORT']}"

    def start(self) -> None:
        """Start everything and wait until it is ready."""
        for server, database in self._databases():
            create_database(server, database.name, "template1")
        in_parallel(migrations(self.event_store, self.read_model, self.folder), lambda job: job.start())
        in_parallel(self.processes, lambda process: process.start())

    def ensure_running(self) -> None:
        """Make everything run and ready again, whatever a test has done."""
        self.servers.ensure_running()
        in_parallel(self.processes, lambda process: process.ensure_running())

    def close(self) -> None:
        """Stop the processes, then drop the databases."""
        in_parallel(self.processes, lambda process: process.stop())
        self.servers.ensure_running()
        for server, database in self._databases():
            drop_database(server, database.name)

    def _databases(self) -> Iterator[tuple[PostgresServer, DatabaseDsns]]:
        yield self.servers.postgres, self.event_store
        yield self.read_model_server, self.read_model

    def standby_relay(self) -> Process:
        """A second relay of the same log, not started."""
        name = f"relay-standby-{next(self._numbers)}"
        return self._process(name, ["command_api", "relay"], "RELAY_OPS_PORT", self.event_store.writer)

    def log_of(self, process: Server) -> Iterator[dict[str, Any]]:
        """The lines that a process has logged so far; each must be JSON."""
        for line in process.log_file.read_text().splitlines():
            yield json.loads(line)

    def environment(self) -> dict[str, str]:
        """The settings of all processes and commands."""
        return {
            **{name: str(port) for name, port in self.ports.items()},
            "EVENT_STORE_READ_DSN": self.event_store.log_reader,
            "REDIS_URL": self.redis_url,
            "REDIS_KEY_PREFIX": self.prefix,
            "KAFKA_BOOTSTRAP_SERVERS": self.servers.kafka.bootstrap_servers,
            "KAFKA_TOPIC_PREFIX": self.prefix,
            **self.settings,
        }

    def _process(self, name: str, arguments: Sequence[str], ops_port_setting: str, dsn: str) -> Process:
        ops_port = free_port()
        dsn_name = "EVENT_STORE_DSN" if arguments[0] == "command_api" else "READ_MODEL_DSN"
        environment = {**self.environment(), ops_port_setting: str(ops_port), dsn_name: dsn}
        # The deliveries of webhooks, which the command API shows.
        environment.setdefault("READ_MODEL_DSN", self.read_model.reader)
        return Process(name, arguments, environment, REPOSITORY, self.folder / f"{name}.log", ops_port)


def migrations(event_store: DatabaseDsns, read_model: DatabaseDsns, log_folder: Path) -> list[Job]:
    """Both databases' `migrate` commands."""
    return [
        Job(
            f"migrate-{package}", [package, "migrate"], {dsn_name: database.owner}, REPOSITORY,
            log_folder / f"migrate-{package}.log",
        )
        for package, dsn_name, database in (
            ("command_api", "EVENT_STORE_MIGRATE_DSN", event_store),
            ("projector", "READ_MODEL_MIGRATE_DSN", read_model),
        )
    ]  # fmt: skip


def in_parallel(those: Sequence[Any], act: Callable[[Any], object]) -> None:
    """Run `act` on all at the same time; the first error is raised when all have ended."""
    with ThreadPoolExecutor(max_workers=len(those)) as pool:
        outcomes = [pool.submit(act, each) for each in those]
    for outcome in outcomes:
        outcome.result()
