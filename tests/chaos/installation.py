"""The whole system with two of each process; each process reaches each server through a proxy of its own."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.errors import StartFailed
from deploy.local.ports import HOST
from deploy.local.postgres import PostgresServer
from deploy.local.process import Process
from deploy.local.redis import RedisServer
from deploy.local.server import Server
from tests.chaos import watched_process
from tests.chaos.ports import lasting_ports
from tests.chaos.schedule import LINKS, PROCESSES
from tests.chaos.servers import ProxiedKafkaServer
from tests.databases import create_database
from tests.end_to_end.system import (
    PATIENCE_OF_TESTS,
    REDIS_DATABASE,
    REPOSITORY,
    Servers,
    in_parallel,
    migrations,
)
from tests.mail_server import MailServer
from tests.servers import POSTGRES_SETTINGS, dsns_of
from tests.tcp_proxy import TcpProxy

_STARTS_MAX = 5
_ARGUMENTS = {
    "command-api": ("command_api", "serve"),
    "relay": ("command_api", "relay"),
    "projector": ("projector", "run"),
    "query-api": ("query_api", "serve"),
}
_WATCHED = ("tests.chaos.watched_process",)
_OPS_PORT_SETTINGS = {
    "command-api": "COMMAND_OPS_PORT",
    "relay": "RELAY_OPS_PORT",
    "projector": "PROJECTOR_OPS_PORT",
    "query-api": "QUERY_OPS_PORT",
}
RECIPIENTS = ("anna@chaos.test", "bert@chaos.test")
RETRY_DELAYS = ("500ms", "2s", "8s")
# The outcome of a claim is unknown after twice the time of a mail: before the last delay is over.
_NOTIFICATION_SETTINGS = {
    "NOTIFICATION_RECIPIENTS": ",".join(RECIPIENTS),
    "NOTIFICATION_RETRY_DELAYS": ",".join(RETRY_DELAYS),
    "SMTP_TIMEOUT_SECONDS": "2",
    "NOTIFICATION_SEND_SECONDS_MAX": "3",
    "NOTIFICATION_BATCH_SECONDS_MAX": "3",
    # So that a storm has many of both: single mails and digests.
    "NOTIFICATION_SINGLE_MAILS_MAX": "40",
    "NOTIFICATION_DIGEST_SECONDS": "3",
    "PARKED_PRODUCTS_PER_MINUTE_MAX": "10000",  # nobody is there who would resume what waits
}
_HTTP_PORT_SETTINGS = {"command-api": "COMMAND_PORT", "query-api": "QUERY_PORT"}


def kind_of(process: str) -> str:
    """`relay` of `relay-2`."""
    return process.rsplit("-", 1)[0]


@dataclass
class Target:
    """One process or server, and the lock for those that break or repair it."""

    server: Server
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    is_meant_to_run: bool = True
    starts: int = 0

    async def bring_back(self) -> None:
        """Start it if it is down, and wait for a server to be ready. After a crash it may need several
        attempts.
        """
        self.is_meant_to_run = True
        self.starts += 1
        if isinstance(self.server, Process):
            await asyncio.to_thread(self.server.spawn)
            return
        for attempt in range(1, _STARTS_MAX + 1):
            try:
                await asyncio.to_thread(self.server.start)
                return
            except StartFailed:
                if attempt == _STARTS_MAX:
                    raise
                await asyncio.to_thread(self.server.kill)


class Installation:
    """Satisfies `checks.view_check.Place`; the checker's own connections pass no proxy."""

    def __init__(
        self, servers: Servers, mail: MailServer, proxies: Mapping[str, TcpProxy], ports: "_Ports",
        folder: Path, prefixes: Mapping[str, Sequence[str]],
    ) -> None:  # fmt: skip
        """`prefixes`: kind of process -> arguments before its own, which break it on purpose."""
        self.servers = servers
        self.mail = mail
        self.proxies = proxies
        self.folder = folder
        self.prefix = f"chaos{uuid.uuid4().hex[:8]}-"
        self.event_store = dsns_of(servers.postgres, f"{self.prefix}events")
        self.read_model = dsns_of(servers.postgres, f"{self.prefix}views")
        self.redis_url = servers.redis.url(REDIS_DATABASE)
        self.settings: dict[str, str] = {}
        self._ports = ports
        self._prefixes = prefixes
        processes = {name: self._process(name) for name in PROCESSES}
        self.targets: dict[str, Target] = {name: Target(process) for name, process in processes.items()}
        self.targets["postgres"] = Target(servers.postgres)
        self.targets["redis"] = Target(servers.redis)
        self.targets["kafka"] = Target(servers.kafka)

    @property
    def processes(self) -> dict[str, Target]:
        return {name: self.targets[name] for name in PROCESSES}

    @property
    def command_urls(self) -> list[str]:
        return [f"http://{HOST}:{self._ports.http[name]}" for name in PROCESSES if "command" in name]

    @property
    def query_urls(self) -> list[str]:
        return [f"http://{HOST}:{self._ports.http[name]}" for name in PROCESSES if "query" in name]

    @property
    def query_url(self) -> str:
        return self.query_urls[0]

    def start(self) -> None:
        """Start the processes and wait until they are ready; the servers must run."""
        for database in (self.event_store, self.read_model):
            create_database(self.servers.postgres, database.name, "template1")
        jobs = migrations(self.event_store, self.read_model, self.folder)
        in_parallel(jobs, lambda job: job.start())
        in_parallel([target.server for target in self.processes.values()], lambda process: process.start())

    def stop(self) -> None:
        """Stop the processes; the servers and their data belong to the caller."""
        in_parallel([target.server for target in self.processes.values()], lambda process: process.stop())

    def tell_what_they_wait_for(self) -> None:
        """Let relays and projectors print the stacks of their tasks into their logs."""
        for name, target in self.processes.items():
            pid = target.server.pid
            if kind_of(name) in ("relay", "projector") and pid is not None:
                os.kill(pid, watched_process.TELL)

    def _process(self, name: str) -> Process:
        kind = kind_of(name)
        ops_port = self._ports.ops[name]
        settings = {
            _OPS_PORT_SETTINGS[kind]: str(ops_port),
            "EVENT_STORE_DSN": self._through_proxy(name, "postgres", self.event_store.writer),
            "EVENT_STORE_READ_DSN": self._through_proxy(name, "postgres", self.event_store.log_reader),
            "READ_MODEL_DSN": self._through_proxy(
                name, "postgres", self.read_model.projector if kind == "projector" else self.read_model.reader
            ),
            "REDIS_URL": self._through_proxy(name, "redis", self.redis_url),
            "REDIS_KEY_PREFIX": self.prefix,
            "KAFKA_BOOTSTRAP_SERVERS": self._through_proxy(
                name, "kafka", self.servers.kafka.bootstrap_servers
            ),
            "KAFKA_TOPIC_PREFIX": self.prefix,
            "READ_URL": f"http://{HOST}:{self._ports.http['query-api-1']}",
            "SMTP_URL": self._through_proxy(name, "mail", f"{self.mail.url}?starttls=never"),
            **_NOTIFICATION_SETTINGS,
            **PATIENCE_OF_TESTS,
        }
        if kind in _HTTP_PORT_SETTINGS:
            settings[_HTTP_PORT_SETTINGS[kind]] = str(self._ports.http[name])
        arguments = [*self._prefixes.get(kind, _WATCHED), *_ARGUMENTS[kind]]
        return Process(name, arguments, settings, REPOSITORY, self.folder / f"{name}.log", ops_port)

    def _through_proxy(self, process: str, server: str, address: str) -> str:
        """The address of the proxy; the unchanged address if this process does not use that server."""
        proxy = self.proxies.get(f"{process}>{server}")
        if proxy is None:
            return address
        direct = {
            "postgres": self.servers.postgres.port, "redis": self.servers.redis.port,
            "kafka": self.servers.kafka.port, "mail": self.mail.port,
        }[server]  # fmt: skip
        return address.replace(f":{direct}", f":{proxy.port}")


class _Ports:
    """Chosen once, and kept over all restarts of their owners."""

    def __init__(self) -> None:
        ports = lasting_ports()
        self.servers = {name: next(ports) for name in ("postgres", "redis", "kafka", "controller", "mail")}
        self.http = {name: next(ports) for name in PROCESSES if kind_of(name) in _HTTP_PORT_SETTINGS}
        self.ops = {name: next(ports) for name in PROCESSES}
        self.proxies = {link: next(ports) for link in LINKS}
        self.listeners = {link.split(">")[0]: next(ports) for link in LINKS if link.endswith(">kafka")}


@asynccontextmanager
async def installation(
    data: Path, logs: Path, prefixes: Mapping[str, Sequence[str]], tell: Callable[[str], None]
) -> AsyncIterator[Installation]:
    """Servers with their data in one folder, processes that are ready, logs in another; all ended at last."""
    ports = _Ports()
    servers = Servers(
        PostgresServer(
            data / "postgres", ports.servers["postgres"], logs / "postgres.log", settings=POSTGRES_SETTINGS
        ),
        RedisServer(data / "redis", ports.servers["redis"], logs / "redis.log"),
        ProxiedKafkaServer(
            data / "kafka", ports.servers["kafka"], ports.servers["controller"], logs / "kafka.log",
            {name: (port, ports.proxies[f"{name}>kafka"]) for name, port in ports.listeners.items()},
        ),
    )  # fmt: skip
    mail = MailServer(ports.servers["mail"])
    async with AsyncExitStack() as stack:
        await mail.start()
        stack.push_async_callback(mail.stop)
        proxies = {}
        for link, port in ports.proxies.items():
            name, server = link.split(">")
            behind = ports.listeners[name] if server == "kafka" else ports.servers[server]
            proxies[link] = await stack.enter_async_context(TcpProxy(HOST, behind, listen_port=port))
        all_servers = [servers.postgres, servers.redis, servers.kafka]
        stack.push_async_callback(asyncio.to_thread, in_parallel, all_servers, lambda server: server.stop())
        tell("starting PostgreSQL, Redis and Kafka")
        await asyncio.to_thread(in_parallel, all_servers, lambda server: server.start())
        made = Installation(servers, mail, proxies, ports, logs, prefixes)
        stack.push_async_callback(asyncio.to_thread, made.stop)
        tell(f"starting {len(PROCESSES)} processes")
        await asyncio.to_thread(made.start)
        yield made
